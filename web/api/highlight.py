"""Where in a picture something is: as boxes, as a mask, and as an overlay."""

import io
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from PIL import Image

from core.frames import FIRST_FRAME
from search.highlight import Highlight
from search.highlight.contours import contour_polygons
from search.highlight.overlay import colour_ramp, ramp_opacity
from web.api.pictures import FrameNumber, PictureId
from web.dependencies import ServiceDep
from web.highlighting import PictureHighlight
from web.responses import ResponseModel
from web.service import Service

__all__ = ["router"]

router = APIRouter(prefix="/pictures", tags=["highlight"])

Point: TypeAlias = tuple[float, float]
"""x and y."""

DECIMALS = 4
"""Of shares of the width and height: a tenth of a pixel of a map."""

Prompt = Annotated[
    str, Query(min_length=1, max_length=500, description="What to look for, as text", examples=["a dog"])
]


class MaskResponse(ResponseModel):
    """A mask in COCO's compressed RLE format; its longest side is at most 1024 pixels."""

    size: tuple[int, int]
    """Height and width."""
    counts: str


class HighlightResponse(ResponseModel):
    """Where a picture shows what the prompt describes."""

    prompt: str
    engine: str
    """`segment` or `relevance`."""
    model: str
    score: float
    """The highest value of the map, 0 to 1. Nothing was found if it is below the threshold."""
    threshold: float
    area: float
    """The fraction of the picture that the mask covers."""
    boxes: list[tuple[int, int, int, int]]
    """Left, top, width and height of each region in pixels of the full upright picture or frame, the best first."""
    scores: list[float]
    """The highest value in each region."""
    peaks: list[Point]
    """The point of each region with that value, as shares of the width and height. It lies inside the region, which the
    middle of its box need not."""
    contours: list[list[Point]]
    """Closed lines around the regions, as polygons in the same shares, at most 32 of 240 corners. A hole is a polygon
    of its own: fill them by the even-odd rule."""
    mask: MaskResponse


class WordResponse(ResponseModel):
    """Where a picture shows one word of a prompt, looked for on its own."""

    text: str
    start: int
    """Position of the word in the prompt."""
    score: float
    area: float
    peaks: list[Point]
    contours: list[list[Point]]


class WordsResponse(ResponseModel):
    """Where a picture shows the words of a prompt that name something; fields are as those of the highlight."""

    prompt: str
    engine: str
    model: str
    threshold: float
    words: list[WordResponse]
    """At most 12, in their order."""


@router.get("/{picture_id}/highlight")
async def find(
    picture_id: PictureId, prompt: Prompt, service: ServiceDep, frame: FrameNumber = FIRST_FRAME
) -> HighlightResponse:
    """Find where a picture, or one frame of it, shows something."""
    result, width, height = await _compute(service, picture_id, prompt, frame)
    fields = result.as_record()
    scale_x, scale_y = width / result.map.shape[1], height / result.map.shape[0]
    scales = (scale_x, scale_y, scale_x, scale_y)
    boxes = [[round(side * scale) for side, scale in zip(region.box, scales, strict=True)] for region in result.regions]
    contours = await run_in_threadpool(contour_polygons, result.map, result.threshold, result.mask)
    peaks = [
        ((x + 0.5) / result.map.shape[1], (y + 0.5) / result.map.shape[0])
        for x, y in (region.peak for region in result.regions)
    ]
    placed = {"peaks": _rounded(peaks), "contours": [_rounded(line) for line in contours]}
    return HighlightResponse.model_validate({**fields, **placed, "boxes": boxes, "mask": fields["segmentation"]})


@router.get("/{picture_id}/highlight/words")
async def find_words(
    picture_id: PictureId, prompt: Prompt, service: ServiceDep, frame: FrameNumber = FIRST_FRAME
) -> WordsResponse:
    """Find where a picture shows each word of a prompt; words such as "the" are left out."""
    look = service.highlighter.find_words
    with service.activity.search():
        found = await to_thread.run_sync(look, picture_id, prompt, frame, limiter=service.highlight_limiter)
    words = [
        WordResponse(
            text=word.text,
            start=word.start,
            score=word.score,
            area=word.area,
            peaks=_rounded(word.peaks),
            contours=[_rounded(line) for line in word.contours],
        )
        for word in found.words
    ]
    return WordsResponse(prompt=prompt, engine=found.engine, model=found.model, threshold=found.threshold, words=words)


@router.get("/{picture_id}/highlight.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def draw(
    picture_id: PictureId,
    prompt: Prompt,
    service: ServiceDep,
    kind: Annotated[
        Literal["heat", "mask"], Query(description="A transparent heat map, or a black and white mask")
    ] = "heat",
    frame: FrameNumber = FIRST_FRAME,
) -> Response:
    """Draw where a picture shows something, as an overlay with the shape of the picture or frame."""
    result = await _compute(service, picture_id, prompt, frame)
    return await run_in_threadpool(_to_png, result.highlight, kind)


async def _compute(service: Service, picture_id: int, prompt: str, frame: int) -> PictureHighlight:
    """Compute a highlight; requests that wait for their turn occupy no thread."""
    find_highlight = service.highlighter.find
    with service.activity.search():
        return await to_thread.run_sync(find_highlight, picture_id, prompt, frame, limiter=service.highlight_limiter)


def _to_png(result: Highlight, kind: str) -> Response:
    image = _heat_map(result) if kind == "heat" else Image.fromarray(result.mask)
    out = io.BytesIO()
    image.save(out, "PNG")
    return Response(out.getvalue(), media_type="image/png", headers={"Cache-Control": "private, max-age=300"})


def _heat_map(result: Highlight) -> Image.Image:
    levels = np.rint(np.clip(result.map, 0, 1) * 255).astype(np.uint8)  # (H, W)
    alpha = np.rint(ramp_opacity() * 255).astype(np.uint8)  # (256,)
    return Image.fromarray(np.dstack([colour_ramp()[levels], alpha[levels]]))


def _rounded(points: Sequence[Point]) -> list[Point]:
    return [(round(x, DECIMALS), round(y, DECIMALS)) for x, y in points]
