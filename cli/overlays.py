"""Highlights on standard output and as files: overlays and masks."""

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import print_json, print_text, shown

if TYPE_CHECKING:
    from PIL import Image

    from encoders.prompts import Prompt
    from search.highlight.engine import HighlightEngine
    from search.highlight.highlight import Highlight, Threshold
    from search.highlight.word_attribution import Word

__all__ = ["Output", "figure_of", "show", "write_png"]

MEANING = {
    "relevance": "how much more this place is like the prompt than like everyday things ({model})",
    "segment": "how likely this place is the prompt ({model})",
}
WORDS_A_ROW = 4


@dataclass(frozen=True)
class Output:
    """What should become of highlights."""

    out: Path | None = None
    bare: bool = False
    mask: Path | None = None
    words: bool = False
    as_json: bool = False

    def check(self, prompts: int) -> None:
        """Before anything is computed: whether there is something to look for, and files can be written."""
        if not prompts:
            raise click.UsageError("say what to look for: words, or --image-prompt FILE")
        if self.bare and self.out is None:
            raise click.UsageError("--bare goes with -o FILE.png.")
        for path in (self.out, self.mask):
            if path is not None and path.suffix.lower() != ".png":
                raise click.UsageError(f"overlays and masks are .png files, not {path.name!r}")
            if path is not None and os.path.isdir(path):  # noqa: PTH112 (Path.is_dir may raise)
                raise click.FileError(str(path), "it is a folder")


def show(
    image: "Image.Image", prompts: "Sequence[Prompt]", engine: "HighlightEngine", threshold: "Threshold", output: Output
) -> bool:
    """Prints and writes where `image` shows what each prompt asks for; returns whether any of them was found."""
    from encoders.prompts import TextPrompt
    from search.highlight.highlight import each_highlight
    from search.highlight.word_attribution import word_parts

    for prompt in prompts:
        limit = engine.cut(prompt.text) if isinstance(prompt, TextPrompt) else None
        if limit is not None:
            click.echo(f"sightline: {engine.model} reads only the first {limit} tokens of a prompt", err=True)
    found = list(each_highlight(image, prompts, engine, threshold))
    parts = [
        word_parts(engine, image, prompt) if output.words and isinstance(prompt, TextPrompt) else ()
        for prompt in prompts
    ]
    _write_files(image, found, parts, output)
    for one, words in zip(found, parts, strict=True):
        if output.as_json:
            print_json({**one.as_record(), **_word_record(words, wanted=output.words)})
        else:
            _print_line(one, words)
    return any(one.regions for one in found)


def _write_files(
    image: "Image.Image", found: "Sequence[Highlight]", parts: "Sequence[Sequence[Word]]", output: Output
) -> None:
    from PIL import Image

    from search.highlight.overlay import blend

    if output.out is not None and not output.bare:
        write_png(output.out, figure_of(image, found, parts))
    for number, one in enumerate(found):
        if output.out is not None and output.bare:
            write_png(_numbered(output.out, number, len(found)), blend(image, one.map, one.mask))
        if output.mask is not None:
            write_png(_numbered(output.mask, number, len(found)), Image.fromarray(one.mask))


def figure_of(image: "Image.Image", found: "Sequence[Highlight]", parts: "Sequence[Sequence[Word]]") -> "Image.Image":
    """Overlays of what was found, and a row or more for the words of each prompt that has `parts`."""
    from search.highlight.overlay import figure, panels_of, word_panels

    rows = [panels_of(image, found)]
    columns = max(len(found), WORDS_A_ROW)
    for one, words in zip(found, parts, strict=True):
        panels = word_panels(image, words) if one.regions else []  # of nothing, no word has a part
        rows += [panels[start : start + columns] for start in range(0, len(panels), columns)]
    return figure(rows, MEANING[found[0].engine].format(model=found[0].model))


def write_png(path: Path, image: "Image.Image") -> None:
    """Writes a PNG, all of it or nothing. Raises `click.FileError`."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    partial = path.with_name(f".{os.getpid()}.partial")
    try:
        partial.write_bytes(buffer.getvalue())
        partial.replace(path)
    except OSError as exc:
        with suppress(OSError):
            partial.unlink()
        raise click.FileError(str(path), exc.strerror or str(exc)) from exc


def _numbered(path: Path, number: int, count: int) -> Path:
    """The file itself for one prompt; for several FILE-1.png, FILE-2.png, ..."""
    return path if count == 1 else path.with_stem(f"{path.stem}-{number + 1}")


def _print_line(found: "Highlight", words: "Sequence[Word]") -> None:
    places = "; ".join("{2}×{3} at {0},{1}".format(*region.box) for region in found.regions)
    mark = " " if found.regions else "?"
    print_text(f"{found.score:.3f}{mark} {shown(found.prompt.title)}  ({places or 'not found'})")
    if words:
        from search.highlight.overlay.figure import signed

        print_text("        " + "  ".join(f"{word.text} {signed(word.weight)}" for word in words))


def _word_record(words: "Sequence[Word]", *, wanted: bool) -> dict[str, Any]:
    said = [{"text": word.text, "start": word.start, "weight": round(word.weight, 6)} for word in words]
    return {"words": said} if wanted else {}
