"""The seam between a highlight and what makes its maps: a segmenter, or the cells of a model that compares."""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from PIL import Image

from encoders.prompts import Prompt
from encoders.segmenter import Maps

__all__ = ["EngineName", "HighlightEngine", "cut"]

EngineName: TypeAlias = Literal["auto", "segment", "relevance"]


class HighlightEngine(Protocol):
    """Whatever says where in a picture a prompt is."""

    @property
    def name(self) -> str:
        """How it does that: `segment` or `relevance`."""

    @property
    def model(self) -> str:
        """The model that it asks."""

    def maps(self, image: Image.Image, prompts: Sequence[Prompt]) -> Maps:
        """For each of P prompts a map over `image`, upright and in sRGB: (P, H, W) in 0..1, from 0.5 on a find."""

    def cut(self, text: str) -> int | None:
        """How many tokens of `text` are read, if the model does not read all of them; None if it does."""


def cut(tokens: int | None, limit: int | None) -> int | None:
    """The limit, if there is one and there are more tokens."""
    return limit if tokens is not None and limit is not None and tokens > limit else None
