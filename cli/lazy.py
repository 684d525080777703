"""A group of commands that are imported when they are needed, so that help and completion stay fast."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """`verbs` says of each command where it lives (`module:attribute`), and what it does, which help lists.

    `sections` are titles in that list with the commands that stand under each.
    """

    def __init__(
        self,
        *args: Any,
        verbs: Mapping[str, tuple[str, str]],
        sections: Mapping[str, Sequence[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._verbs = verbs
        self._sections = sections or {"Commands": tuple(verbs)}

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(self._verbs)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """The command `name`, imported now."""
        if name not in self._verbs:
            return None
        module, _, attribute = self._verbs[name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As Click does it, which cannot say what may be meant: it knows only the names of what is imported."""
        meant = [] if args[0] in self._verbs or ctx.resilient_parsing else get_close_matches(args[0], self._verbs)
        if meant:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {' or '.join(meant)}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The tables of commands, their second columns beneath each other."""
        width = max(map(len, self._verbs))
        for title, names in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), self._verbs[name][1]) for name in names])
