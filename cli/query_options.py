"""What a query is made of, as options and words of the command line, and how these become one question."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

from cli.help_sections import SectionedCommand

if TYPE_CHECKING:
    from search import Asking, Crop, Filters, Query
    from search.query import Source
    from search.query_language import Question

__all__ = ["Asked", "QueryCommand", "ask_options", "crop_option", "line_of", "merged", "note", "unmarked"]

Command = TypeVar("Command", bound=Callable[..., Any])

DIVERSE = "--diverse"
"""The one option whose value may be left out; the word behind it belongs to the query."""
BALANCE = 0.5

LANGUAGES = ("en", "de", "fr", "cs", "zh", "ar")

_AWAY = re.compile(r"""-(?:[^\W\d_][^\d=]|\d+(?:\.\d+)?:|["(./~])""")
"""Words to stay away from, such as `-people`, and not an option, such as `-k5`."""
_NUMBER = re.compile(r"-?\d*\.?\d+")
_MARK = "\0"
"""Stands before an argument that is no option; none can hold it."""


class QueryCommand(SectionedCommand):
    """A command to whom `-people` is a word of the query, and no cluster of options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Marks those words, so that Click lets them be."""
        valued = {name for option in self.params if _takes_value(option) for name in option.opts}
        marked, expected = [], False
        for place, argument in enumerate(args):
            if argument == "--":
                marked += args[place:]
                break
            following = args[place + 1] if place + 1 < len(args) else ""
            if argument == DIVERSE and not expected and not _NUMBER.fullmatch(following):
                marked.append(f"{DIVERSE}={BALANCE}")
                continue
            marked.append(_MARK + argument if not expected and _AWAY.match(argument) else argument)
            expected = not expected and argument in valued
        return super().parse_args(ctx, marked)


def _takes_value(option: click.Parameter) -> bool:
    return isinstance(option, click.Option) and not option.is_flag and not option.count


@dataclass(frozen=True)
class Asked:
    """What `ask_options` brought."""

    words: tuple[str, ...] = ()
    images: tuple[Path, ...] = ()
    crop: str | None = None
    like: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    plain: bool = False
    long: str = "split"
    ensemble: str | None = None

    @classmethod
    def take(cls, options: dict[str, Any]) -> Self:
        """Takes what it knows out of a command's options."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls) if field.name in options})

    def question(self, line: str | None = None) -> "tuple[Query | None, Filters]":
        """The query, and the filters that stood in its words; `line` is asked in place of the words.

        The query is None where nothing is asked for but filters. Raises `InvalidQuery` for what cannot be asked.
        """
        from search import Filters
        from search.feedback import refined
        from search.query import Part, Picture, Query, Text, away

        asked = self._words(line_of(self.words) if line is None else line)
        crop = _crop(self.crop)
        if crop is not None and not self.images:
            raise click.UsageError("--crop is a region of the picture that --image names")
        parts = list(asked.query.parts) if asked and asked.query else []
        parts += [Part(Picture(image, crop)) for image in self.images]
        parts += [Part(_source(name)) for name in self.like]
        parts += away(parts, [Text(text) for text in self.without])
        more, less = [_source(name) for name in self.more], [_source(name) for name in self.less]
        query = Query(tuple(parts)) if parts else None
        if more or less:
            query = refined(query, more, less)
        return query, Filters(where=asked.where if asked else None)

    def asking(self) -> "Asking":
        """How words become vectors."""
        from search import Asking

        return Asking("truncate" if self.long == "truncate" else "split", self.ensemble)

    def _words(self, line: str) -> "Question | None":
        """What the words ask; None when there are none."""
        from search import Query
        from search.query_language import Question, parse

        if not line.strip():
            return None
        return Question(Query.of(line.strip())) if self.plain else parse(line)


def ask_options(command: Command) -> Command:
    """What to ask besides words, and how words are read."""
    options = [
        click.option(
            "--image",
            "images",
            multiple=True,
            type=click.Path(path_type=Path),
            help="A picture as (part of) the query; repeatable.",
        ),
        crop_option,
        click.option(
            "--like",
            multiple=True,
            metavar="ID|FILE",
            help="A picture of the library as part of the query; repeatable.",
        ),
        click.option("--not", "without", multiple=True, metavar="TEXT", help="Words to stay away from; repeatable."),
        click.option(
            "--more", multiple=True, metavar="ID|FILE", help="A hit that was right: more like it; repeatable."
        ),
        click.option(
            "--less", multiple=True, metavar="ID|FILE", help="A hit that was wrong: less like it; repeatable."
        ),
        click.option("--plain", is_flag=True, help="Words mean themselves: no signs, weights or filters in them."),
        click.option(
            "--long",
            type=click.Choice(["split", "truncate"]),
            default="split",
            show_default=True,
            help="Text that is longer than the model reads: average its sentences, or take its beginning.",
        ),
        click.option(
            "--ensemble",
            type=click.Choice(LANGUAGES),
            metavar="LANG",
            help=f"Put words into several sentences of a language ({', '.join(LANGUAGES)}), and average.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


crop_option: Callable[[Command], Command] = click.option(
    "--crop", metavar="X,Y,W,H", help="Only this region of the picture: pixels, or 25%,0%,50%,100%."
)


def unmarked(argument: str) -> str:
    """An argument of a `QueryCommand` as it was typed, which may begin with a dash."""
    return argument.removeprefix(_MARK)


def line_of(words: tuple[str, ...]) -> str:
    """The words as one line. What the shell took out of quotation marks is put into them again where that matters."""
    words = tuple(map(unmarked, words))
    if len(words) == 1:
        return words[0] if not _AWAY.match(words[0]) else _requoted(words[0])
    signs = [word in ("+", "-") for word in words]
    beside = [any(signs[max(place - 1, 0) : place + 2]) for place in range(len(words))]
    return " ".join(_requoted(word, whole=sign) for word, sign in zip(words, beside, strict=True))


_PREFIXED = re.compile(r"(-?(?:[a-z]+:|\d+(?:\.\d+)?:(?=\D))?)(.*)", re.DOTALL | re.IGNORECASE | re.ASCII)


def _requoted(word: str, *, whole: bool = False) -> str:
    """An argument with blanks in it: `in:My Pictures` was `in:"My Pictures"` before the shell read it."""
    from search.filters import FIELD_NAMES

    match = _PREFIXED.fullmatch(word)
    if match is None or '"' in word or not any(map(str.isspace, word)):
        return word
    prefix, rest = match.groups()
    name = prefix.lstrip("-").rstrip(":")
    is_mark = bool(prefix) and (not name or name[0].isdigit() or name.casefold() in FIELD_NAMES)
    if is_mark or word.startswith(("./", "../", "~/")):
        return f'{prefix if is_mark else ""}"{(rest if is_mark else word)}"'
    return f'"{word}"' if whole else word


def _source(name: str) -> "Source":
    """A picture of the library by its id, or a file."""
    from search.query import Picture, Stored

    return Stored(int(name)) if name.isascii() and name.isdigit() and len(name) < 19 else Picture(Path(name))


def _crop(text: str | None) -> "Crop | None":
    from search import Crop

    return None if text is None else Crop.parse(text)


def merged(filters: "Filters", inline: "Filters") -> "Filters":
    """Both the filters of the options and those of the words."""
    from dataclasses import replace

    from search.filters import And

    if inline.where is None:
        return filters
    both = inline.where if filters.where is None else And((filters.where, inline.where))
    return replace(filters, where=both)


def note(notes: tuple[str, ...]) -> None:
    """What was done to a query, to standard error."""
    for said in notes:
        click.echo(f"sightline: {said}", err=True)
