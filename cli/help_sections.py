"""Help for commands of many options: those that belong together stand under one title."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import click

__all__ = ["SectionedCommand"]

SECTIONS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "What to ask": (
            "images", "crop", "like", "without", "more", "less", "plain", "long", "ensemble", "interactive", "queries",
        ),
        "Among which pictures": ("within", "after", "before", "camera", "tag", "where"),
        "Which hits": ("top", "min_score", "relevant", "sort", "expand", "diverse", "page"),
        "What to make of them": (
            "explain", "as_json", "paths", "print0", "preview", "sheet", "highlight", "csv", "export", "copy",
        ),
        "Library and model": ("library", "space", "device", "precision"),
    }
)  # fmt: skip
"""Titles, and the names of the parameters under each, in order. Whatever is in none stands under "Other"."""


class SectionedCommand(click.Command):
    """A command whose help lists its options by what they are for."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options under their titles, their second columns beneath each other."""
        records = {
            param.name: param.get_help_record(ctx) for param in self.get_params(ctx) if isinstance(param, click.Option)
        }
        sections = [(title, [records.pop(name, None) for name in names]) for title, names in SECTIONS.items()]
        sections.append(("Other", list(records.values())))
        for title, found in sections:
            rows = [row for row in found if row is not None]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
