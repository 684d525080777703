"""`sightline demo`."""

import shlex
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from cli.output import print_text
from cli.progress import ProgressBar
from cli.results import hit_line
from cli.sheets import SheetSection, write_sheet
from core.files import absolute
from encoders import registry
from indexer import index
from search import Searcher
from store import Library

__all__ = ["QUERIES", "run_demo"]

QUERIES = (
    ("English", "a snowman in the snow"),
    ("Chinese", "一艘帆船在海上"),
    ("German", "ein Heißluftballon über einer Blumenwiese"),
    ("French", "un gâteau d'anniversaire avec des bougies"),
    ("Czech", "zelený vlak ve sněhu"),
    ("Arabic", "خيمة ونار في الليل"),
)
"""A query in each language of the built-in model; none of them is a caption of the gallery."""

HITS_PRINTED = 3
HITS_ON_SHEET = 5


def run_demo(out: Path) -> None:
    """Index the gallery, run the queries, and write contact sheets to the folder `out`."""
    gallery = _gallery()
    encoder = registry.load(registry.DEFAULT_MODEL)
    # One library per version of the model: a library refuses a model with other weights than its own.
    with Library.open(out / f"library-{encoder.space.fingerprint[:12]}", create=True) as library:
        print_text(f"$ sightline index {_short(gallery)}")
        with ProgressBar() as progress:
            summary = index(library, gallery, encoder, progress=progress)
        print_text(f"{summary.seen} pictures in {summary.seconds:.1f} s, {summary.embedded} embedded\n")
        sections = _run_queries(Searcher(library, encoder))
    for name in ("sheet.png", "sheet.html"):
        write_sheet(out / name, sections)
    print_text(f"Contact sheet of all results: {_short(out / 'sheet.html')} (or sheet.png)\n")
    print_text(_next_steps(library.path))


def _run_queries(searcher: Searcher) -> list[SheetSection]:
    """Run all queries, and search for pictures like the first hit. Prints the best hits; returns all for the sheet."""
    sections = []
    for language, query in QUERIES:
        hits = searcher.search(query, k=HITS_ON_SHEET).hits
        sections.append(SheetSection(query, hits))
        print_text(f"$ sightline search {query}    ({language})")
        for hit in hits[:HITS_PRINTED]:
            print_text(hit_line(hit, _short(hit.path)))
        print_text()
    first = sections[0].hits[0].path
    print_text(f"$ sightline similar {_short(first)}")
    similar = searcher.similar(first, k=HITS_ON_SHEET).hits
    for hit in similar[:HITS_PRINTED]:
        print_text(hit_line(hit, _short(hit.path)))
    print_text("\nA ? after a score: the picture probably does not match. This was calibrated with photos.")
    print_text("The scenes of this gallery are rendered: some that do match have a ?, too.\n")
    return [*sections, SheetSection(f"like {first.name}", similar)]


def _gallery() -> Path:
    """Return the folder of the gallery: inside an installed package, or next to it in a checkout."""
    here = Path(__file__).resolve().parent
    candidates: Sequence[Path] = (here / "gallery", here.parent / "examples" / "gallery")
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise click.ClickException("This installation does not include the demo gallery.")


def _next_steps(library: Path) -> str:
    command = _short(Path(sys.argv[0]))
    return (
        "Browse the gallery:\n"
        f"{_web_installation()}"
        f"  {command} serve --library {shlex.quote(_short(library))} --open\n\n"
        "Index and search your own pictures:\n"
        f"  {command} index ~/Pictures\n"
        f"  {command} search children playing on the beach\n"
        f"  {command} search --help"
    )


def _web_installation() -> str:
    """Return a line that installs what the web server requires; an empty string if it is installed."""
    if find_spec("fastapi") is not None and find_spec("uvicorn") is not None:
        return ""
    checkout = Path(__file__).resolve().parent.parent
    package = (
        f"-e {shlex.quote(f'{_short(checkout)}[web]')}"
        if (checkout / "pyproject.toml").is_file()
        else "'sightline[web]'"
    )
    python = shlex.quote(_short(Path(sys.executable)))
    if find_spec("pip") is not None:
        return f"  {python} -m pip install {package}\n"
    return f"  uv pip install --python {python} {package}\n"


def _short(path: Path) -> str:
    """Return `path` relative to the working directory if it is below it."""
    full = absolute(path)
    return str(full.relative_to(Path.cwd())) if full.is_relative_to(Path.cwd()) else str(full)
