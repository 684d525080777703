"""Errors of Sightline as errors of a tool, which an assistant can read."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from mcp.server.mcpserver.exceptions import ToolError

from core.errors import SightlineError
from web.errors import describe_failure

__all__ = ["reports_errors"]

P = ParamSpec("P")
R = TypeVar("R")


def reports_errors(tool: Callable[P, R]) -> Callable[P, R]:
    """Make errors of Sightline errors of the tool, with their message and what can be done about them."""

    @wraps(tool)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return tool(*args, **kwargs)
        except SightlineError as exc:
            raise ToolError(describe_failure(exc)[1]) from exc

    return call
