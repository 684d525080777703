"""Options that several verbs share, and how a verb comes to its library."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import click

from core.settings import LIBRARY_VARIABLE, default_library
from encoders.placement import PRECISIONS

if TYPE_CHECKING:
    from search import Filters

__all__ = [
    "Context",
    "Order",
    "condition_texts",
    "filter_options",
    "filters",
    "form_options",
    "from_here",
    "json_option",
    "library_option",
    "library_path",
    "page_options",
    "placement_options",
    "result_options",
    "space_option",
]

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Context:
    """What was said before the verb: `sightline --library DIR verb`."""

    library: str | None = None


def library_path(ctx: click.Context, _param: click.Parameter, value: str | None) -> Path:
    """The library folder: as said after the verb, before it, in the environment, or the default."""
    outer = ctx.find_object(Context)
    named = value or (outer.library if outer else None)
    return Path(named) if named else default_library()


def from_here(path: Path) -> Path:
    """`path` as the user would write it in full: where a link led here, the system only knows what it leads to."""
    here, path = os.environ.get("PWD", ""), Path(os.path.expanduser(path))  # noqa: PTH111 (Path.expanduser may raise)
    try:
        return Path(here, path) if os.path.isabs(here) and os.path.samefile(here, os.curdir) else path  # noqa: PTH117, PTH121
    except OSError:
        return path


def library_option(command: Command) -> Command:
    """`--library DIR`."""
    return click.option(
        "--library",
        callback=library_path,
        metavar="DIR",
        help=f"Library folder  [default: ${LIBRARY_VARIABLE}, or your data folder]",
    )(command)


def space_option(command: Command) -> Command:
    """`--space NAME`."""
    return click.option(
        "--space",
        metavar="NAME",
        help="Ask this model's vectors, not those in use: its name, or how the space's fingerprint begins.",
    )(command)


def placement_options(command: Command) -> Command:
    """`--device` and `--precision`, together as a `placement`; what it has to say goes to standard error."""

    @wraps(command)
    def placed(*args: Any, device: str | None, precision: str | None, **options: Any) -> Any:
        from encoders.placement import Placement

        def say(notice: str) -> None:
            click.echo(f"sightline: {notice}", err=True)

        return command(*args, placement=Placement(device, precision, notify=say), **options)

    options = (
        click.option(
            "--device", help="Where to run a large model: cpu, cuda, cuda:1, mps  [default: the best there is]"
        ),
        click.option(
            "--precision", type=click.Choice(PRECISIONS), help="What it computes in  [default: the best for the device]"
        ),
    )
    for option in options:
        placed = option(placed)
    return placed  # type: ignore[return-value]


def json_option(command: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON (one object a line).")(command)


def filter_options(command: Command) -> Command:
    """Which pictures to look among: `within`, `after` and `before`, as `filters` takes them."""
    options = [
        click.option(
            "--in",
            "within",
            multiple=True,
            type=click.Path(path_type=Path),
            help="Only pictures in this folder; repeatable.",
        ),
        click.option("--after", metavar="DATE", help="Only pictures taken from DATE on: 2023, 2023-06 or 2023-06-15."),
        click.option("--before", metavar="DATE", help="Only pictures taken before DATE."),
        _condition_option("--camera", "camera:", "NAME", "Only pictures of a camera whose name holds NAME."),
        _condition_option("--tag", "tag:", "TAG", "Only pictures with this tag; repeatable: with all of them."),
        _condition_option(
            "--where", "", "TEST", "Only pictures that pass, such as 'iso>800'; repeatable. docs/filters.md says which."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


_CONDITIONS = "cli.options.conditions"


def _condition_option(flag: str, prefix: str, metavar: str, help: str) -> Callable[[Command], Command]:  # noqa: A002
    """An option for a condition. All that were given wait in the context for `filters`, whatever the command takes."""

    def collect(ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> None:
        ctx.meta.setdefault(_CONDITIONS, []).extend(prefix + value for value in values)

    return click.option(flag, multiple=True, metavar=metavar, help=help, expose_value=False, callback=collect)


def condition_texts() -> list[str]:
    """What `--camera`, `--tag` and `--where` said, each as `--where` takes it."""
    ctx = click.get_current_context(silent=True)
    return [] if ctx is None else ctx.meta.get(_CONDITIONS, [])


def filters(within: tuple[Path, ...], after: str | None, before: str | None) -> "Filters":
    """What `filter_options` brought. Raises `InvalidQuery` for a date that is none."""
    from search.filters import And, Filters, parse_date, parse_where

    conditions = tuple(map(parse_where, condition_texts()))
    return Filters(
        within=tuple(from_here(path) for path in within),
        after=None if after is None else parse_date(after),
        before=None if before is None else parse_date(before),
        where=(conditions[0] if len(conditions) == 1 else And(conditions)) if conditions else None,
    )


def result_options(command: Command) -> Command:
    """How many hits, which, and in what form."""
    options = [
        click.option(
            "-k", "--top", default=10, show_default=True, type=click.IntRange(min=1), help="How many pictures."
        ),
        click.option(
            "--min-score",
            type=click.FloatRange(-1, 1),
            help="Only pictures whose cosine similarity reaches this. What is a good score depends on the model.",
        ),
        click.option("--relevant", is_flag=True, help="Only pictures that are more likely an answer than not."),
        click.option(
            "--sort",
            type=click.Choice(["relevance", "date"]),
            default="relevance",
            show_default=True,
            help="Order of the pictures found; date: the newest first.",
        ),
        click.option(
            "--expand", "--no-fold", "expand", is_flag=True, help="Show every near-duplicate, not one for all of them."
        ),
        form_options,
    ]
    for option in reversed(options):
        command = option(command)
    return command


def form_options(command: Command) -> Command:
    """In what form hits are shown, besides `--json`; `cli.results.Form` takes them."""
    options = [
        click.option("--paths", is_flag=True, help="Print paths only, one a line."),
        click.option("-0", "--print0", is_flag=True, help="Print paths only, each ended by a NUL byte (for xargs -0)."),
        click.option(
            "--sheet",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Write a contact sheet with scores: FILE.png or FILE.html.",
        ),
        click.option(
            "--csv", type=click.Path(dir_okay=False, path_type=Path), help="Write a table: FILE.csv, which must be new."
        ),
        click.option(
            "--export",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Fill a new or empty folder with links to the pictures, in their order.",
        ),
        click.option("--copy", is_flag=True, help="With --export: copies in place of links."),
        click.option("--preview", is_flag=True, help="Show the pictures in the terminal."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def page_options(command: Command) -> Command:
    """A page of hits, and which of them."""
    options = [
        click.option(
            "--page",
            metavar="start|CURSOR",
            help="Show pages of -k pictures: `start` says how to see the next, whose cursor goes here.",
        ),
        click.option(
            "--diverse",
            type=click.FloatRange(0, 1),
            metavar="[LAMBDA]",
            help="Prefer pictures that differ: 1 by likeness alone, 0 by difference alone  [default: 0.5].",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True)
class Order:
    """What `result_options` and `page_options` say of which hits to show."""

    k: int
    min_score: float | None
    relevant: bool
    sort: Literal["relevance", "date"]
    cursor: str | None
    diverse: float | None
    fold: bool

    @classmethod
    def take(cls, options: dict[str, Any]) -> Self:
        """Takes what it knows out of a command's options; the page stays."""
        page = options.get("page")
        names = ("min_score", "relevant", "sort", "diverse")
        taken = {name: options.pop(name) for name in names}
        taken["fold"] = not options.pop("expand")
        return cls(k=options.pop("top"), cursor=None if page == "start" else page, **taken)
