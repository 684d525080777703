"""Where in a picture something is: as boxes, as a mask, and as an overlay."""

import io
from typing import Annotated, Literal

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from PIL import Image

from search.highlight import Highlight
from search.highlight.overlay import colour_ramp, ramp_opacity
from store.queries import ContentRecord, load_content_record
from web.api.pictures import PictureId
from web.dependencies import ServiceDep
from web.errors import NotFound
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
    """Left, top, width and height of each region in pixels of the full upright picture, the best first."""
    scores: list[float]
    mask: MaskResponse


@router.get("/{picture_id}/highlight")
async def find(picture_id: PictureId, prompt: Prompt, service: ServiceDep) -> HighlightResponse:
    """Find where a picture shows something."""
    record = await run_in_threadpool(_record, service, picture_id)
    result = await _compute(service, picture_id, prompt)
    fields = result.as_record()
    scale_x, scale_y = record.width / result.map.shape[1], record.height / result.map.shape[0]
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
) -> Response:
    """Draw where a picture shows something, as an overlay with the shape of the picture."""
    result = await _compute(service, picture_id, prompt)
    return await run_in_threadpool(_to_png, result, kind)


async def _compute(service: Service, picture_id: int, prompt: str) -> Highlight:
    """Compute a highlight; requests that wait for their turn occupy no thread."""
    return await to_thread.run_sync(service.highlighter.find, picture_id, prompt, limiter=service.highlight_limiter)


def _record(service: Service, picture_id: int) -> ContentRecord:
    record = load_content_record(service.library, picture_id)
    if record is None:
        raise NotFound
    return record


def _to_png(result: Highlight, kind: str) -> Response:
    image = _heat_map(result) if kind == "heat" else Image.fromarray(result.mask)
    out = io.BytesIO()
    image.save(out, "PNG")
    return Response(out.getvalue(), media_type="image/png", headers={"Cache-Control": "private, max-age=300"})


def _heat_map(result: Highlight) -> Image.Image:
    levels = np.rint(np.clip(result.map, 0, 1) * 255).astype(np.uint8)  # (H, W)
    alpha = np.rint(ramp_opacity() * 255).astype(np.uint8)  # (256,)
    return Image.fromarray(np.dstack([colour_ramp()[levels], alpha[levels]]))
