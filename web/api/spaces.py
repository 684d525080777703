"""Spaces side by side: which there are, and which of them answers."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from indexer.fill import switch
from store.spaces import list_spaces, named_space
from web.asking import ServiceDep

__all__ = ["Space", "router"]

router = APIRouter(prefix="/spaces", tags=["library"])


class Space(BaseModel):
    """An embedding space that the library holds vectors of."""

    model: str
    fingerprint: str
    dim: int
    vectors: int
    active: bool
    """It answers searches."""


class SpaceName(BaseModel):
    """Which space."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "mini"}]})

    name: str = Field(min_length=1, max_length=1_000, description="Its model, or how its fingerprint begins")


@router.get("")
def list_all(service: ServiceDep) -> list[Space]:
    """Lists the spaces, and which of them answers."""
    return [
        Space(
            model=stored.space.model,
            fingerprint=stored.space.fingerprint,
            dim=stored.space.dim,
            vectors=vectors,
            active=active,
        )
        for stored, vectors, active in list_spaces(service.library)
    ]


@router.put("/active")
def activate(wanted: SpaceName, service: ServiceDep) -> list[Space]:
    """Lets another space answer, as it is; `POST /jobs` fills one first."""
    switch(service.library, named_space(service.library, wanted.name))
    return list_all(service)
