"""Why a picture matched: where in it something is, as boxes, as a mask, and as a map to lay over it."""

import io
from typing import Annotated, Literal

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from PIL import Image

from search.highlight import Highlight
from search.highlight.overlay.blend import opacity
from search.highlight.overlay.colours import ramp
from store.queries import ContentRecord, describe
from web.api.pictures import PictureId
from web.dependencies import ServiceDep
from web.errors import NotThere
from web.responses import Said
from web.service import Service

__all__ = ["router"]

router = APIRouter(prefix="/pictures", tags=["highlight"])

Prompt = Annotated[
    str, Query(min_length=1, max_length=500, description="What to look for, in words", examples=["a dog"])
]


class RunLengths(Said):
    """A mask in COCO's form, of a picture whose longest side is at most 1024 pixels."""

    size: tuple[int, int]
    """Height and width."""
    counts: str


class Found(Said):
    """What was found in a picture."""

    prompt: str
    engine: str
    """`segment` or `relevance`."""
    model: str
    score: float
    """The highest value of the map, 0 to 1; nothing was found where it is below the threshold."""
    threshold: float
    area: float
    """The share of the picture that the mask covers."""
    boxes: list[tuple[int, int, int, int]]
    """Left, top, width and height of each place, in pixels of the whole upright picture; the best first."""
    scores: list[float]
    mask: RunLengths


@router.get("/{picture_id}/highlight")
async def find(picture_id: PictureId, prompt: Prompt, service: ServiceDep) -> Found:
    """Finds where a picture shows something."""
    record = await run_in_threadpool(_record, service, picture_id)
    found = await _found(service, picture_id, prompt)
    said = found.as_record()
    across, down = record.width / found.map.shape[1], record.height / found.map.shape[0]
    scale = (across, down, across, down)
    boxes = [[round(side * by) for side, by in zip(region.box, scale, strict=True)] for region in found.regions]
    return Found.model_validate({**said, "boxes": boxes, "mask": said["segmentation"]})


@router.get("/{picture_id}/highlight.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def draw(
    picture_id: PictureId,
    prompt: Prompt,
    service: ServiceDep,
    kind: Annotated[Literal["heat", "mask"], Query(description="A transparent map, or black and white")] = "heat",
) -> Response:
    """Draws where a picture shows something: to be laid over it, at its shape."""
    found = await _found(service, picture_id, prompt)
    return await run_in_threadpool(_drawn, found, kind)


async def _found(service: Service, picture_id: int, prompt: str) -> Highlight:
    """Where it is; whoever waits for their turn keeps no thread from those who search."""
    return await to_thread.run_sync(service.highlighting.find, picture_id, prompt, limiter=service.pointing)


def _record(service: Service, picture_id: int) -> ContentRecord:
    with service.library.read() as connection:
        record = describe(connection, [picture_id]).get(picture_id)
    if record is None:
        raise NotThere
    return record


def _drawn(found: Highlight, kind: str) -> Response:
    image = _heat(found) if kind == "heat" else Image.fromarray(found.mask)
    out = io.BytesIO()
    image.save(out, "PNG")
    return Response(out.getvalue(), media_type="image/png", headers={"Cache-Control": "private, max-age=300"})


def _heat(found: Highlight) -> Image.Image:
    levels = np.rint(np.clip(found.map, 0, 1) * 255).astype(np.uint8)  # (H, W)
    cover = np.rint(opacity() * 255).astype(np.uint8)  # (256,)
    return Image.fromarray(np.dstack([ramp()[levels], cover[levels]]))
