"""Spaces side by side: which there are, and which of them answers."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from indexer.fill import switch
from store.spaces.coverage import coverage
from store.spaces.registry import list_spaces, named_space
from web.dependencies import ServiceDep
from web.errors import Busy
from web.responses import Said

__all__ = ["Space", "router"]

router = APIRouter(prefix="/spaces", tags=["library"])


class Space(Said):
    """An embedding space that the library holds vectors of."""

    model: str
    fingerprint: str
    dim: int
    vectors: int
    active: bool
    """It answers searches."""
    lacking: int
    """Pictures that its model has not seen yet; `POST /jobs` fills them in."""
    complete: bool
    """Its model has seen every picture that is there."""


class SpaceName(BaseModel):
    """Which space."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "mini"}]})

    name: str = Field(min_length=1, max_length=1_000, description="Its model, or how its fingerprint begins")


@router.get("")
def list_all(service: ServiceDep) -> list[Space]:
    """Lists the spaces, and which of them answers."""
    found = list_spaces(service.library)
    with service.library.read() as connection:
        covered = {stored.id: coverage(connection, stored) for stored, _, _ in found}
    return [
        Space(
            model=stored.space.model,
            fingerprint=stored.space.fingerprint,
            dim=stored.space.dim,
            vectors=vectors,
            active=active,
            lacking=covered[stored.id].lacking,
            complete=covered[stored.id].complete,
        )
        for stored, vectors, active in found
    ]


@router.put("/active")
def activate(wanted: SpaceName, service: ServiceDep) -> list[Space]:
    """Lets another space answer, as it is; `POST /jobs` fills one first."""
    stored = named_space(service.library, wanted.name)
    with service.library.writer_lock_if_free() as is_free:
        if not is_free:
            raise Busy("the library is being changed; try again when that has ended")
        switch(service.library, stored)
    return list_all(service)
