"""`sightline highlight`, and `--highlight DIR` of a search: overlays and masks of where a picture matches."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from cli.output import print_json, print_text, shown, warn
from core.errors import InvalidQuery, ModelUnavailable, SightlineError
from core.files import atomic_writer
from core.space import Space
from core.text_lines import TextLine
from encoders import clipseg
from encoders.placement import Placement
from encoders.prompts import PicturePrompt, Prompt, TextPrompt, VectorPrompt, as_prompts
from search import Query, Searcher, SearchOptions, TextInput
from search.highlight.engine import EngineName, HighlightEngine, choose_engine, load_engine
from search.highlight.highlight import Highlight, Threshold, iter_highlights, open_image
from search.highlight.overlay import blend, format_signed, highlight_panels, render_figure, word_panels
from search.highlight.patch_similarity import PatchSimilarityEngine
from search.highlight.text_marks import text_panel
from search.highlight.word_attribution import WordAttribution, attribute_words
from search.results import Hit
from store import Library
from store.spaces.registry import active_space

__all__ = ["HighlightOutput", "ImagePrompt", "run_highlight", "write_hit_overlays", "write_png"]

LEGENDS = {
    "relevance": "how much more this place is like the prompt than like everyday things ({model})",
    "segment": "how likely this place is the prompt ({model})",
}
WORDS_PER_ROW = 4

MAX_STEM_BYTES = 120
"""Bytes of a picture's name in the name of its overlay; file systems allow 255 in all."""


@dataclass(frozen=True)
class HighlightOutput:
    """What to print and write."""

    out: Path | None = None
    bare: bool = False
    mask: Path | None = None
    words: bool = False
    as_json: bool = False

    def check(self) -> None:
        """Raise an error before anything is computed if the files cannot be written."""
        if self.bare and self.out is None:
            raise click.UsageError("--bare requires -o FILE.png.")
        for path in (self.out, self.mask):
            if path is not None and path.suffix.lower() != ".png":
                raise click.UsageError(f"Overlays and masks are .png files, not {path.name!r}.")
            if path is not None and os.path.isdir(path):  # noqa: PTH112 (Path.is_dir may raise)
                raise click.FileError(str(path), "it is a folder")


@dataclass(frozen=True)
class ImagePrompt:
    """A picture whose content to look for: all of it, a masked part, or a box (left, top, width, height)."""

    image: Path | None
    mask: Path | None
    crop: tuple[int, int, int, int] | None

    def load(self) -> PicturePrompt | None:
        """Open the pictures. Returns None without an image; raises `InvalidQuery` for an unreadable one."""
        if self.image is None:
            if self.mask or self.crop:
                raise click.UsageError("--image-mask and --image-crop require --image-prompt.")
            return None
        mask = None if self.mask is None else np.asarray(open_image(self.mask).convert("L")) > 127
        return PicturePrompt(open_image(self.image), mask=mask, box=self.crop, name=shown(Path(self.image.name)))


def run_highlight(
    image: Path,
    texts: Sequence[str],
    image_prompt: ImagePrompt,
    output: HighlightOutput,
    threshold: Threshold,
    *,
    frame: int,
    engine: EngineName,
    model: str | None,
    segmenter: str | None,
    library: Path,
    placement: Placement,
) -> int:
    """Print and write where each prompt is in a frame of a picture; return the exit code."""
    if not texts and image_prompt.image is None:
        raise click.UsageError("Give a prompt: words, or --image-prompt FILE.")
    output.check()
    opened, picture = open_image(image, frame), image_prompt.load()
    prompts = as_prompts([*texts, *([picture] if picture is not None else [])])
    uses_library = model is None and choose_engine(engine, segmenter=segmenter) == "relevance"
    space = _library_space(library) if uses_library else None
    loaded = load_engine(engine, model=model, segmenter=segmenter, space=space, placement=placement)
    return 0 if _show(opened, prompts, loaded, threshold, output) else 1


def _library_space(library: Path) -> Space | None:
    """Return the active space of the library; None without a library, since highlighting a picture requires none."""
    with suppress(SightlineError), Library.open(library) as opened:
        active = active_space(opened)
        return None if active is None else active.space
    return None


def _show(
    image: Image.Image,
    prompts: Sequence[Prompt],
    engine: HighlightEngine,
    threshold: Threshold,
    output: HighlightOutput,
) -> bool:
    """Print and write the highlights of all prompts; return whether anything was found."""
    for prompt in prompts:
        limit = engine.truncation_limit(prompt.text) if isinstance(prompt, TextPrompt) else None
        if limit is not None:
            warn(f"{engine.model} reads only the first {limit} tokens of a prompt")
    highlights = list(iter_highlights(image, prompts, engine, threshold))
    words = [
        attribute_words(engine, image, prompt) if output.words and isinstance(prompt, TextPrompt) else ()
        for prompt in prompts
    ]
    _write_files(image, highlights, words, output)
    for result, attributions in zip(highlights, words, strict=True):
        if output.as_json:
            print_json({**result.as_record(), **_word_record(attributions, requested=output.words)})
        else:
            _print_line(result, attributions)
    return any(result.regions for result in highlights)


def _write_files(
    image: Image.Image,
    highlights: Sequence[Highlight],
    words: Sequence[Sequence[WordAttribution]],
    output: HighlightOutput,
) -> None:
    if output.out is not None and not output.bare:
        write_png(output.out, _figure(image, highlights, words))
    for position, result in enumerate(highlights):
        if output.out is not None and output.bare:
            write_png(_numbered(output.out, position, len(highlights)), blend(image, result.map, result.mask))
        if output.mask is not None:
            write_png(_numbered(output.mask, position, len(highlights)), Image.fromarray(result.mask))


def write_hit_overlays(
    folder: Path, hits: Sequence[Hit], query: Query, searcher: Searcher, options: SearchOptions
) -> None:
    """Write a figure for each hit into `folder`, named by rank and picture.

    Unreadable pictures are reported and skipped. Raises `click.FileError` if nothing can be written, and
    `ModelUnavailable` if neither the library's model nor a segmenter can locate things.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise click.FileError(str(folder), exc.strerror or str(exc)) from exc
    engine, prompts = _hit_engine(query, searcher, options)
    for hit in hits:
        if hit.record.document is not None:
            continue  # only a vector, no picture
        try:
            image = open_image(hit.path, hit.frame_number)
        except InvalidQuery as exc:
            warn(f"{exc}; it has no overlay")
            continue
        highlights = list(iter_highlights(image, prompts, engine))
        lines = [found.line for found in hit.texts if found.frame == hit.frame_number]
        stem = os.fsdecode(os.fsencode(hit.path.stem)[:MAX_STEM_BYTES])
        write_png(folder / f"{hit.rank:03}-{stem}.png", _figure(image, highlights, [()] * len(highlights), lines))


def _hit_engine(query: Query, searcher: Searcher, options: SearchOptions) -> tuple[HighlightEngine, list[Prompt]]:
    """Return the engine and its prompts: the query vector, and the texts of a query of several parts.

    For a model without patch features, a segmenter with a space of its own gets the texts alone.
    """
    vector = searcher.embed(query, options)  # first: it determines the space, and with it the searcher's encoder
    texts: list[Prompt] = [
        TextPrompt(part.source.text) for part in query.positive_parts if isinstance(part.source, TextInput)
    ]
    encoder = searcher.encoder
    if not encoder.has_patch_features and texts and clipseg.has_segmenter():
        return load_engine("segment", placement=searcher.placement), texts
    try:
        engine = PatchSimilarityEngine(encoder)
    except ModelUnavailable as exc:
        remedy = f"--highlight can use a segmenter instead: `sightline models pull {clipseg.DEFAULT_SEGMENTER}`."
        raise ModelUnavailable(encoder.space.model, "patch features", remedy) from exc
    return engine, [VectorPrompt(vector, query.title), *(texts if len(query.parts) > 1 else [])]


def _figure(
    image: Image.Image,
    highlights: Sequence[Highlight],
    words: Sequence[Sequence[WordAttribution]],
    lines: Sequence[TextLine] = (),
) -> Image.Image:
    """Return the overlays of all highlights and of lines of text, followed by rows for the words of each prompt."""
    rows = [[*highlight_panels(image, highlights), *([text_panel(image, lines)] if lines else [])]]
    columns = max(len(rows[0]), WORDS_PER_ROW)
    for result, attributions in zip(highlights, words, strict=True):
        panels = word_panels(image, attributions) if result.regions else []
        rows += [panels[start : start + columns] for start in range(0, len(panels), columns)]
    return render_figure(rows, LEGENDS[highlights[0].engine].format(model=highlights[0].model))


def write_png(path: Path, image: Image.Image) -> None:
    """Write a PNG completely or not at all. Raises `click.FileError`."""
    try:
        with atomic_writer(path) as file:
            image.save(file, "PNG")
    except OSError as exc:
        raise click.FileError(str(path), exc.strerror or str(exc)) from exc


def _numbered(path: Path, position: int, count: int) -> Path:
    """Return the file itself for a single prompt, else FILE-1.png, FILE-2.png, ..."""
    return path if count == 1 else path.with_stem(f"{path.stem}-{position + 1}")


def _print_line(result: Highlight, words: Sequence[WordAttribution]) -> None:
    boxes = "; ".join("{2}×{3} at {0},{1}".format(*region.box) for region in result.regions)
    mark = " " if result.regions else "?"
    print_text(f"{result.score:.3f}{mark} {shown(result.prompt.title)}  ({boxes or 'not found'})")
    if words:
        print_text("        " + "  ".join(f"{word.text} {format_signed(word.weight)}" for word in words))


def _word_record(words: Sequence[WordAttribution], *, requested: bool) -> dict[str, Any]:
    records = [{"text": word.text, "start": word.start, "weight": round(word.weight, 6)} for word in words]
    return {"words": records} if requested else {}
