"""`sightline highlight`: show where in a picture something is."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option, library_option, placement_options

if TYPE_CHECKING:
    from encoders.placement import Placement
    from encoders.prompts import PicturePrompt, Prompt
    from search.highlight.engine import EngineName
    from search.highlight.highlight import Threshold

__all__ = ["highlight"]


def _threshold(_ctx: click.Context, _param: click.Parameter, value: str) -> "Threshold":
    """A number from 0 to 1, or "otsu"."""
    if value == "otsu":
        return value  # type: ignore[return-value]  # mypy sees a str, not the literal
    try:
        level = float(value)
    except ValueError:
        level = -1.0
    if not 0 <= level <= 1:
        raise click.BadParameter(f"{value!r} is neither a number from 0 to 1 nor `otsu`")
    return level


def _crop(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[int, int, int, int] | None:
    """LEFT,TOP,WIDTH,HEIGHT."""
    if value is None:
        return None
    try:
        left, top, width, height = (int(part) for part in value.split(","))
    except ValueError as exc:
        raise click.BadParameter(f"{value!r} is not LEFT,TOP,WIDTH,HEIGHT in pixels") from exc
    return left, top, width, height


@click.command(
    epilog="""\b
Examples:
  sightline highlight beach.jpg "a brown dog" -o dog.png
  sightline highlight beach.jpg "a brown dog" "a yellow kite" -o both.png   both
  sightline highlight beach.jpg "a brown dog" --words -o words.png          words
  sightline highlight beach.jpg "a brown dog" --mask mask.png --json | jq .boxes
  sightline highlight beach.jpg --image-prompt rex.jpg --image-crop 40,60,200,150 -o rex.png
  sightline highlight beach.jpg "a brown dog" --engine segment --segmenter ./clipseg-rd64-refined

Each PROMPT is one thing to look for: quote those of several words. Nothing that is found in no place has exit
code 1. A relevance map says where the picture is more like the prompt than like sixty everyday things; 0.5 and
more is called a find. docs/highlight.md says how to read maps, and how far to trust them.
"""
)
@click.argument("image", type=click.Path(path_type=Path))
@click.argument("prompts", nargs=-1, metavar="[PROMPT]...")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Write the overlays, captions and legend to FILE.png."
)
@click.option("--bare", is_flag=True, help="Overlays without captions, each exactly as large as the picture.")
@click.option(
    "--mask", type=click.Path(path_type=Path), help="Write where it was found to FILE.png: white, else black."
)
@click.option("--words", is_flag=True, help="Also say which words of each prompt matched, and where.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "relevance", "segment"]),
    default="auto",
    show_default=True,
    help="Ask the cells of a model that searches, or a segmenter; auto: a segmenter if one is installed.",
)
@click.option("--model", help="Whose cells to ask for relevance  [default: the library's, else mini].")
@click.option("--segmenter", help="CLIPSeg to ask: a name or a folder  [default: CIDAS/clipseg-rd64-refined].")
@library_option
@click.option("--image-prompt", type=click.Path(path_type=Path), help="Look for what this picture shows.")
@click.option("--image-mask", type=click.Path(path_type=Path), help="A mask of what is meant in --image-prompt, white.")
@click.option("--image-crop", metavar="L,T,W,H", callback=_crop, help="A box around what is meant in --image-prompt.")
@click.option(
    "--threshold",
    default="0.5",
    show_default=True,
    callback=_threshold,
    help="Value of the map from which something is found; otsu: wherever each map divides best, found or not.",
)
@placement_options
@json_option
@click.pass_context
def highlight(
    ctx: click.Context,
    /,
    image: Path,
    prompts: tuple[str, ...],
    out: Path | None,
    bare: bool,
    mask: Path | None,
    words: bool,
    engine: "EngineName",
    model: str | None,
    segmenter: str | None,
    library: Path,
    image_prompt: Path | None,
    image_mask: Path | None,
    image_crop: tuple[int, int, int, int] | None,
    threshold: "Threshold",
    placement: "Placement",
    as_json: bool,
) -> None:
    """Show where in IMAGE each PROMPT is."""
    from cli.overlays import Output, show
    from encoders.prompts import as_prompts
    from search.highlight.highlight import open_whole
    from search.highlight.loading import chosen_engine, load_engine

    output = Output(out=out, bare=bare, mask=mask, words=words, as_json=as_json)
    output.check(len(prompts) + (image_prompt is not None))
    if image_prompt is None and (image_mask or image_crop):
        raise click.UsageError("--image-mask and --image-crop say what is meant in --image-prompt: name that picture")
    wanted: list[Prompt | str] = list(prompts)
    if image_prompt is not None:
        wanted.append(_picture_prompt(image_prompt, image_mask, image_crop))
    kind = chosen_engine(engine, model=model, segmenter=segmenter)
    if kind == "relevance" and model is None:
        model = _library_model(library)
    loaded = load_engine(kind, model=model, segmenter=segmenter, placement=placement)
    found = show(open_whole(image), as_prompts(wanted), loaded, threshold, output)
    ctx.exit(0 if found else 1)


def _library_model(library: Path) -> str:
    """The model that answers searches in the library, if its cells can be asked; else the built-in one.

    A picture needs no library: where there is none, or its model is not here, that is no error.
    """
    from core.errors import SightlineError
    from encoders import registry
    from store import Library
    from store.spaces.registry import active_space

    with suppress(SightlineError), Library.open(library) as opened:
        active = active_space(opened)
        if active is not None and registry.load_for(active.space).has_cells:
            return active.space.model
    return registry.DEFAULT_MODEL


def _picture_prompt(path: Path, mask: Path | None, box: tuple[int, int, int, int] | None) -> "PicturePrompt":
    import numpy as np

    from cli.output import shown
    from encoders.prompts import PicturePrompt
    from search.highlight.highlight import open_whole

    where = None if mask is None else np.asarray(open_whole(mask).convert("L")) > 127
    return PicturePrompt(open_whole(path), mask=where, box=box, name=shown(Path(path.name)))
