"""The Click classes behind the commands: lazily imported groups, help in sections, and queries with leading dashes.

The help of `sightline` imports nothing else, so this module imports nothing but Click.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType
from typing import Any

import click

__all__ = [
    "EXCLUDED_WORD",
    "OPTION_SECTIONS",
    "GlobalOptions",
    "IntegerRange",
    "LazyGroup",
    "NumberRange",
    "QueryCommand",
    "SectionedCommand",
]


class IntegerRange(click.IntRange):
    """Integers within bounds, called so in help and messages: "not a valid integer range" would be no good advice."""

    name = "integer"


class NumberRange(click.FloatRange):
    """Numbers within bounds."""

    name = "number"


@dataclass(frozen=True)
class GlobalOptions:
    """The options before the verb, as in `sightline --library DIR search ...`."""

    library: str | None = None


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed, so that help and completion stay fast.

    `verbs` maps the name of each command to its location (`module:attribute`) and its summary for the help.
    `sections` maps the titles in the help to the names of the commands below them.
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
        """Return the names of the commands in the order of the table."""
        return list(self._verbs)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import and return the command `name`; return None for an unknown name."""
        if name not in self._verbs:
            return None
        module, _, attribute = self._verbs[name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest similar names for an unknown command: Click itself only sees the commands imported so far."""
        similar = [] if args[0] in self._verbs or ctx.resilient_parsing else get_close_matches(args[0], self._verbs)
        if similar:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {' or '.join(similar)}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands of each section, with all summaries aligned."""
        width = max(map(len, self._verbs))
        for title, names in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), self._verbs[name][1]) for name in names])


OPTION_SECTIONS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "Query": (
            "images", "crop", "frame", "like", "without", "more", "less", "plain", "long", "ensemble", "interactive",
            "queries",
        ),
        "Filters": ("within", "after", "before", "camera", "tag", "where"),
        "Ranking": (
            "top", "min_score", "relevant", "sort", "text_weight", "expand", "every_frame", "diverse", "page", "exact",
        ),
        "Output": (
            "explain", "as_json", "paths", "print0", "preview", "sheet", "highlight", "csv", "csv_bom", "export",
            "copy",
        ),
        "Library and model": ("library", "space", "device", "precision"),
    }
)  # fmt: skip
"""Titles in the help of the commands that search, each with its parameters in order."""


class SectionedCommand(click.Command):
    """A command with many options, grouped by purpose in its help.

    `sections` maps the titles to the names of the parameters below them, in order. All others go under "Other".
    """

    def __init__(self, *args: Any, sections: Mapping[str, Sequence[str]] = OPTION_SECTIONS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options below the titles of their sections."""
        records = {
            param.name: param.get_help_record(ctx) for param in self.get_params(ctx) if isinstance(param, click.Option)
        }
        sections = [(title, [records.pop(name, None) for name in names]) for title, names in self._sections.items()]
        sections.append(("Other", list(records.values())))
        for title, section in sections:
            rows = [row for row in section if row is not None]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


EXCLUDED_WORD = re.compile(r"""-(?:[^\W\d_][^\d=]|\d+(?:\.\d+)?:|["(./~])""")
"""Matches the start of an argument that excludes something from a query, such as `-people`, but not `-k5`."""

_DIVERSE = "--diverse"
"""The only option whose value can be omitted; a word that follows it belongs to the query."""
_DEFAULT_DIVERSE = 0.5
_NUMBER = re.compile(r"-?\d*\.?\d+")
_MARK = "\0"
"""Prefix that hides an argument from Click's option parser; no argument can contain it."""


class QueryCommand(SectionedCommand):
    """A command that reads `-people` as a word of the query instead of a cluster of short options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hide such words from Click's option parser."""
        valued = {name for option in self.params if _takes_value(option) for name in option.opts}
        marked, is_value = [], False
        for position, argument in enumerate(args):
            if argument == "--":
                marked += args[position:]
                break
            following = args[position + 1] if position + 1 < len(args) else ""
            if argument == _DIVERSE and not is_value and not _NUMBER.fullmatch(following):
                marked.append(f"{_DIVERSE}={_DEFAULT_DIVERSE}")
                continue
            marked.append(_MARK + argument if not is_value and EXCLUDED_WORD.match(argument) else argument)
            is_value = not is_value and argument in valued
        rest = super().parse_args(ctx, marked)
        ctx.params = {name: _without_mark(value) for name, value in ctx.params.items()}
        return rest


def _takes_value(option: click.Parameter) -> bool:
    return isinstance(option, click.Option) and not option.is_flag and not option.count


def _without_mark(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_without_mark, value))
    return value.removeprefix(_MARK) if isinstance(value, str) else value
