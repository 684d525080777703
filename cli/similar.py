"""`sightline similar`: find the pictures most similar to one picture."""

from pathlib import Path
from typing import Any

import click

from cli.options import filter_options, filters, json_option, library_option, result_options

__all__ = ["similar"]


@click.command(
    epilog="""\b
Examples:
  sightline similar ./cat.jpg
  sightline similar ~/Pictures/2021/IMG_0042.jpg -k 20 --sheet alike.html
\b
The picture may be in the library or not. If it is, it is not listed itself. Where the library's vectors were
made elsewhere (`sightline import`), IMAGE is a picture that it has a vector of, or the id of a document.
"""
)
@click.argument("image", type=click.Path())  # text as it was typed: an id of a document is no path
@filter_options
@library_option
@result_options
@json_option
@click.pass_context
def similar(
    ctx: click.Context,
    /,
    image: str,
    within: tuple[Path, ...],
    after: str | None,
    before: str | None,
    library: Path,
    top: int,
    min_score: float | None,
    relevant: bool,
    **form: Any,
) -> None:
    """Find the pictures most similar to IMAGE, best first."""
    from cli.output import shown
    from cli.results import Form, answer
    from cli.search import mend
    from search import Searcher
    from store import Library

    narrowed = filters(within, after, before)
    with Library.open(library) as opened:
        searcher = Searcher(opened)
        hits = searcher.similar(image, k=top, min_score=min_score, filters=narrowed, relevant=relevant)
        code = answer(f"like {shown(Path(Path(image).name))}", hits, Form(**form))
        mend(searcher)
    ctx.exit(code)
