"""Embedding spaces: list them, and choose the active one."""

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from core.space import Space
from encoders.registry import newer_version
from indexer.filling import switch
from indexer.summary import Progress
from search.kept_calibrations import is_calibrating, kept_failure
from store.spaces.coverage import coverage
from store.spaces.registry import list_spaces, named_space
from web.dependencies import ServiceDep
from web.errors import Busy
from web.requests import RequestModel
from web.responses import ResponseModel

__all__ = ["SpaceResponse", "router"]

router = APIRouter(prefix="/spaces", tags=["library"])


PATIENCE_SECONDS = 5.0
"""How long a change of the active space waits for other changes of the library, such as a batch of an index run."""


class SpaceResponse(ResponseModel):
    """An embedding space of the library."""

    model: str
    version: str | None
    """The version of the model, if it has several."""
    title: str
    """The model with its version, as it is shown: `mini 3`."""
    newer: str | None
    """The title of the newest installed version of the model; null for the newest. `POST /jobs` changes to it."""
    fingerprint: str
    dim: int
    vectors: int
    """One for each page or moment of each picture, and for each document of an imported space."""
    embedded: int
    """Number of pictures with a vector; copies count once."""
    active: bool
    """Whether searches use it by default."""
    lacking: int
    """Number of pictures without a vector; `POST /jobs` embeds them."""
    complete: bool
    """Whether every available picture has been embedded."""
    calibrating: bool
    """Whether the relevance of its results is being calibrated; until that has finished, they are only ranked."""
    calibration_failure: str | None
    """Why the relevance of its results could not be calibrated; null if that has not failed."""


class SpaceRequest(RequestModel):
    """A space."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "mini"}]})

    name: str = Field(
        min_length=1, max_length=1_000, description="Its model, `mini@2` for a version, or the start of its fingerprint"
    )


@router.get("")
def list_all(service: ServiceDep) -> list[SpaceResponse]:
    """List the embedding spaces."""
    summaries = list_spaces(service.library)
    covered = {summary.stored.id: coverage(service.library, summary.stored) for summary in summaries}
    return [
        SpaceResponse(
            model=summary.stored.space.model,
            version=summary.stored.space.version,
            title=summary.stored.space.title,
            newer=_newer(summary.stored.space),
            fingerprint=summary.stored.space.fingerprint,
            dim=summary.stored.space.dim,
            vectors=summary.vectors,
            embedded=covered[summary.stored.id].embedded,
            active=summary.is_active,
            lacking=covered[summary.stored.id].missing,
            complete=covered[summary.stored.id].is_complete,
            calibrating=is_calibrating(summary.stored.space),
            calibration_failure=kept_failure(summary.stored.space),
        )
        for summary in summaries
    ]


def _newer(space: Space) -> str | None:
    newest = newer_version(space)
    return None if newest is None else newest.space.title


@router.put("/active")
def activate(request: SpaceRequest, service: ServiceDep) -> list[SpaceResponse]:
    """Make another space the active one, complete or not; `POST /jobs` completes a space first."""
    stored = named_space(service.library, request.name)
    with service.library.exclusive_if_free(PATIENCE_SECONDS) as writer:
        is_free = writer is not None
    progress = _Impatient()
    if not is_free:
        progress.waiting()
    switch(service.library, stored, progress=progress)
    return list_all(service)


class _Impatient(Progress):
    """Waits for nothing that takes longer than a second."""

    def waiting(self) -> None:
        """Raise `Busy`."""
        raise Busy("The library is being changed. Try again when that has finished.")
