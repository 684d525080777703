"""`sightline demo`: index a small gallery of rendered scenes, and ask it things in six languages."""

import os
import shlex
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cli.sheet import Section
    from search import Searcher

__all__ = ["demo"]

QUESTIONS = (
    ("English", "a snowman in the snow"),
    ("Chinese", "一艘帆船在海上"),
    ("German", "ein Heißluftballon über einer Blumenwiese"),
    ("French", "un gâteau d'anniversaire avec des bougies"),
    ("Czech", "zelený vlak ve sněhu"),
    ("Arabic", "خيمة ونار في الليل"),
)
"""Asked in each language of the built-in model, in words that are none of the gallery's captions."""

SHOWN = 3
"""Hits printed for each question; the contact sheet shows more."""

ON_SHEET = 5


@click.command(
    epilog="""\b
Examples:
  sightline demo
  sightline demo --out /tmp/demo
"""
)
@click.option(
    "--out",
    default=Path("sightline-demo"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the demo's library and contact sheet.",
)
def demo(out: Path) -> None:
    """Index a small gallery of rendered scenes, and ask it things in six languages."""
    from cli.output import print_text
    from cli.progress import ShownProgress
    from cli.sheet import write_sheet
    from encoders import registry
    from indexer import index
    from search import Searcher
    from store import Library

    gallery = _gallery()
    encoder = registry.load(registry.DEFAULT_MODEL)
    # A library of its own for each version of the model: one that another version filled would refuse this one.
    with Library.open(out / f"library-{encoder.space.fingerprint[:12]}", create=True) as library:
        print_text(f"$ sightline index {_short(gallery)}")
        with ShownProgress() as progress:
            summary = index(library, gallery, encoder, progress=progress)
        print_text(f"{summary.seen} pictures in {summary.seconds:.1f} s, {summary.embedded} embedded\n")
        sections = _ask(Searcher(library, encoder))
    for name in ("sheet.png", "sheet.html"):
        write_sheet(out / name, sections)
    print_text(f"Look at the answers: {_short(out / 'sheet.html')} (or sheet.png)\n")
    print_text(_next_steps(library.path))


def _ask(searcher: "Searcher") -> "list[Section]":
    """Asks every question, and for pictures like the first answer; prints the best and returns all for the sheet."""
    from cli.output import print_text
    from cli.results import as_line
    from cli.sheet import Section

    sections = []
    for language, question in QUESTIONS:
        hits = searcher.search(question, k=ON_SHEET)
        sections.append(Section(question, hits))
        print_text(f"$ sightline search {question}    ({language})")
        for hit in hits[:SHOWN]:
            print_text(as_line(hit, _short(hit.path)))
        print_text()
    first = sections[0].hits[0].path
    print_text(f"$ sightline similar {_short(first)}")
    alike = searcher.similar(first, k=ON_SHEET)
    for hit in alike[:SHOWN]:
        print_text(as_line(hit, _short(hit.path)))
    print_text("\nA ? after a score: probably no answer, only the nearest there is.\n")
    return [*sections, Section(f"like {first.name}", alike)]


def _gallery() -> Path:
    """The gallery's folder: inside an installed package, or in the checkout beside it."""
    here = Path(__file__).resolve().parent
    candidates: Sequence[Path] = (here / "gallery", here.parent / "examples" / "gallery")
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise click.ClickException("the demo gallery is not part of this installation")


def _next_steps(library: Path) -> str:
    command = _short(Path(os.path.abspath(sys.argv[0])))  # noqa: PTH100
    return (
        "Look at the gallery in a browser:\n"
        f"{_how_to_get_the_page()}"
        f"  {command} serve --library {shlex.quote(_short(library))} --open\n\n"
        "Now your own pictures:\n"
        f"  {command} index ~/Pictures\n"
        f"  {command} search children playing on the beach\n"
        f"  {command} search --help"
    )


def _how_to_get_the_page() -> str:
    """How to install what the page needs, a line; nothing where it is installed."""
    if find_spec("fastapi") is not None and find_spec("uvicorn") is not None:
        return ""
    checkout = Path(__file__).resolve().parent.parent
    what = (
        f"-e {shlex.quote(f'{_short(checkout)}[web]')}"
        if (checkout / "pyproject.toml").is_file()
        else "'sightline[web]'"
    )
    if find_spec("pip") is not None:
        return f"  {shlex.quote(_short(Path(sys.executable)))} -m pip install {what}\n"
    return f"  uv pip install --python {shlex.quote(_short(Path(sys.executable)))} {what}\n"


def _short(path: Path) -> str:
    """`path`, relative to the current folder when it lies beneath it."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 (a link stays as it was named)
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)
