"""Where in a picture something is: as boxes, as a mask, and as an overlay."""

import io
from typing import Annotated, Literal

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from PIL import Image

from core.frames import FIRST_FRAME
from search.highlight import Highlight
from search.highlight.overlay import colour_ramp, ramp_opacity
from web.api.pictures import FrameNumber, PictureId
from web.dependencies import ServiceDep
from web.highlighting import PictureHighlight
from web.responses import ResponseModel
from web.service import Service

__all__ = ["router"]

router = APIRouter(prefix="/pictures", tags=["highlight"])

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
    mask: MaskResponse


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
    return HighlightResponse.model_validate({**fields, "boxes": boxes, "mask": fields["segmentation"]})


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
