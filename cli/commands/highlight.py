"""`sightline highlight`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import frame_option, json_option, library_option, placement_options
from encoders.placement import Placement

if TYPE_CHECKING:
    from search.highlight.engine import EngineName
    from search.highlight.highlight import Threshold

__all__ = ["highlight"]


def _threshold(_ctx: click.Context, _param: click.Parameter, value: str) -> "Threshold":
    """Parse a number from 0 to 1, or "otsu"."""
    if value == "otsu":
        return "otsu"
    try:
        level = float(value)
    except ValueError:
        level = -1.0
    if not 0 <= level <= 1:
        raise click.BadParameter(f"{value!r} is neither a number from 0 to 1 nor `otsu`")
    return level


def _crop(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[int, int, int, int] | None:
    """Parse LEFT,TOP,WIDTH,HEIGHT."""
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
  sightline highlight beach.jpg "a brown dog" "a yellow kite" -o both.png   two prompts
  sightline highlight beach.jpg "a brown dog" --words -o words.png          word by word
  sightline highlight beach.jpg "a brown dog" --mask mask.png --json | jq .boxes
  sightline highlight beach.jpg --image-prompt rex.jpg --image-crop 40,60,200,150 -o rex.png
  sightline highlight scan.tif "a signature" --frame 3 -o signature.png     the third page
  sightline highlight street.jpg --text exit -o exit.png                    a text that can be read
  sightline highlight beach.jpg "a brown dog" --engine segment --segmenter ./clipseg-rd64-refined

Each PROMPT is one thing to look for; put several words in quotation marks. Exit code 1 means that nothing was
found. A relevance map compares each part of the picture with the prompt and with sixty everyday things; values of 0.5
and above count as found. docs/highlight.md explains how to read maps, and their limits.
"""
)
@click.argument("image", type=click.Path(path_type=Path))
@click.argument("prompts", nargs=-1, metavar="[PROMPT]...")
@frame_option
@click.option(
    "-o",
    "--out",
    metavar="FILE.png",
    type=click.Path(path_type=Path),
    help="Write the overlays, with captions and a legend, to this file.",
)
@click.option("--bare", is_flag=True, help="Write the overlays without captions, at the size of the picture.")
@click.option(
    "--mask",
    metavar="FILE.png",
    type=click.Path(path_type=Path),
    help="Write a mask: white where the prompt was found, black elsewhere.",
)
@click.option(
    "--text",
    metavar="TEXT",
    help="Mark where this text can be read, in place of a prompt; * marks all text. Needs the extra `ocr`.",
)
@click.option("--words", is_flag=True, help="Also show which words of each prompt matched, and where.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "relevance", "segment"]),
    default="auto",
    show_default=True,
    help="Use a search model (relevance) or a segmenter (segment); auto: a segmenter if one is installed.",
)
@click.option(
    "--model", metavar="NAME", help="Search model for --engine relevance.  [default: the library's, else mini]"
)
@click.option(
    "--segmenter", metavar="NAME", help="CLIPSeg model: a name or a folder.  [default: CIDAS/clipseg-rd64-refined]"
)
@library_option
@click.option(
    "--image-prompt", metavar="FILE", type=click.Path(path_type=Path), help="Look for the content of this picture."
)
@click.option(
    "--image-mask",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Mask of --image-prompt: white where the prompt is.",
)
@click.option("--image-crop", metavar="L,T,W,H", callback=_crop, help="Box around the prompt in --image-prompt.")
@click.option(
    "--threshold",
    default="0.5",
    show_default=True,
    callback=_threshold,
    help="Lowest value of the map that counts as found; otsu: choose one for each map, even if the prompt is absent.",
)
@placement_options
@json_option
@click.pass_context
def highlight(
    ctx: click.Context,
    /,
    image: Path,
    prompts: tuple[str, ...],
    frame: int,
    out: Path | None,
    bare: bool,
    mask: Path | None,
    text: str | None,
    words: bool,
    engine: "EngineName",
    model: str | None,
    segmenter: str | None,
    library: Path,
    image_prompt: Path | None,
    image_mask: Path | None,
    image_crop: tuple[int, int, int, int] | None,
    threshold: "Threshold",
    placement: Placement,
    as_json: bool,
) -> None:
    """Show where in IMAGE each PROMPT is, or a text."""
    if text is not None:
        from cli.highlighting import HighlightOutput
        from cli.text_highlighting import run_text_highlight

        if prompts or image_prompt or words:
            raise click.UsageError("--text takes the place of prompts: leave out PROMPT, --image-prompt and --words.")
        output = HighlightOutput(out=out, bare=bare, mask=mask, as_json=as_json)
        ctx.exit(run_text_highlight(image, text, output, frame=frame))
    from cli.highlighting import HighlightOutput, ImagePrompt, run_highlight

    code = run_highlight(
        image,
        prompts,
        ImagePrompt(image_prompt, image_mask, image_crop),
        HighlightOutput(out=out, bare=bare, mask=mask, words=words, as_json=as_json),
        threshold,
        frame=frame,
        engine=engine,
        model=model,
        segmenter=segmenter,
        library=library,
        placement=placement,
    )
    ctx.exit(code)
