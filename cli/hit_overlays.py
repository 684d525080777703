"""`--highlight DIR` of a search: for each hit a picture of where it matches the query."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from core.errors import InvalidQuery, ModelUnavailable

if TYPE_CHECKING:
    from encoders.prompts import Prompt
    from search import Asking, Query, Searcher
    from search.highlight.engine import HighlightEngine
    from search.hits import Hit

__all__ = ["highlight_option", "write_overlays"]

LONGEST_NAME = 120
"""Bytes kept of a picture's name in that of its overlay; file systems allow 255."""

Command = TypeVar("Command", bound=Callable[..., Any])


def highlight_option(command: Command) -> Command:
    """`--highlight DIR`."""
    return click.option(
        "--highlight",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Write overlays of the hits, which show where they match, into the folder DIR.",
    )(command)


def write_overlays(folder: Path, hits: "Sequence[Hit]", query: "Query", searcher: "Searcher", asking: "Asking") -> None:
    """Writes a figure for each hit into `folder`, which is made, named by rank and picture.

    A picture that can no longer be read is said and left out. Raises `click.FileError` when nothing can be written, and
    `ModelUnavailable` when neither the library's model nor a segmenter can say where things are.
    """
    from cli.overlays import figure_of, write_png
    from search.highlight.highlight import each_highlight, open_whole

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise click.FileError(str(folder), exc.strerror or str(exc)) from exc
    engine, prompts = _how(query, searcher, asking)
    for hit in hits:
        if hit.record.document is not None:
            continue  # there is only a vector of it
        try:
            image = open_whole(hit.path)
        except InvalidQuery as exc:
            click.echo(f"sightline: {exc}; it has no overlay", err=True)
            continue
        found = list(each_highlight(image, prompts, engine))
        stem = os.fsdecode(os.fsencode(hit.path.stem)[:LONGEST_NAME])
        write_png(folder / f"{hit.rank:03}-{stem}.png", figure_of(image, found, [()] * len(found)))


def _how(query: "Query", searcher: "Searcher", asking: "Asking") -> "tuple[HighlightEngine, list[Prompt]]":
    """The engine, and what to ask it: the very vector that ranked the hits, and its parts' words if it has several.

    A segmenter, which has a space of its own, stands in for a model without cells; it is asked for the words alone.
    """
    from encoders import clipseg
    from encoders.prompts import TextPrompt, VectorPrompt
    from search.highlight.loading import load_engine
    from search.highlight.patch_similarity import Relevance
    from search.query import Text

    whole = searcher.embed(query, asking)  # first: it says in which space the model of the searcher is to be asked
    words: list[Prompt] = [TextPrompt(part.source.text) for part in query.wanted if isinstance(part.source, Text)]
    encoder = searcher.encoder
    if not encoder.has_cells and words and clipseg.has_segmenter():
        return load_engine("segment", placement=searcher.placement), words
    try:
        engine = Relevance(encoder)
    except ModelUnavailable as exc:
        remedy = f"--highlight can ask a segmenter instead: `sightline models pull {clipseg.DEFAULT_SEGMENTER}`"
        raise ModelUnavailable(encoder.space.model, "cells", remedy) from exc
    return engine, [VectorPrompt(whole, query.title), *(words if len(query.parts) > 1 else [])]
