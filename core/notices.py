"""Notices: what a user should know about how a request was read or answered, although it is no error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Notice", "NoticeValue"]

NoticeValue: TypeAlias = str | int | bool


@dataclass(frozen=True)
class Notice:
    """A message with a stable name. `str` returns the message.

    The terminal prints the English message. The page has a text for each name, `notice_NAME`, in each of its languages,
    and fills in `data`.
    """

    name: str
    message: str
    data: Mapping[str, NoticeValue] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return self.message
