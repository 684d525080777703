"""Models to choose from: what is known of each, and whether it can be used here now. None of them is loaded."""

from typing import Literal

from fastapi import APIRouter

from encoders.licences import Use, commercial_only, use_of
from encoders.model_catalog import RECOMMENDED
from encoders.model_info import Known, all_known
from web.responses import Said

__all__ = ["Model", "router"]

router = APIRouter(prefix="/models", tags=["library"])

TEST_DOUBLE = "fake"
"""It sees only colours: nobody looks for pictures with it."""


class Model(Said):
    """A model that a space can be filled with. What nobody knows is null or empty."""

    name: str
    """As `POST /jobs` takes it."""
    summary: str
    location: Literal["built in", "pulled", "recommended", "folder"]
    """`recommended` ones are not here yet."""
    languages: list[str]
    """ISO 639-1 codes of those it is good in, the best first."""
    breadth: int
    """About how many languages it reads, those among them in which it is weak."""
    licence: str
    """Of its weights: an SPDX identifier where there is one, `unknown` where its authors state none."""
    use: Use
    """Whether the licence is known to allow commercial use."""
    size: int | None
    """Bytes on disk, or about how many to fetch."""
    dim: int | None
    usable: bool
    """It can be used now."""
    missing: str
    """What has to be done before, as commands; empty where it is usable."""
    note: str


@router.get("")
def list_models() -> list[Model]:
    """Lists the models: built in, pulled, recommended. `SIGHTLINE_COMMERCIAL` leaves out what it would refuse."""
    offered = [_shown(model) for model in all_known() if model.task == "encoder" and model.name != TEST_DOUBLE]
    return [model for model in offered if model.use == "commercial" or not commercial_only()]


def _shown(model: Known) -> Model:
    listed = RECOMMENDED.get(model.name)
    return Model(
        name=model.name,
        summary=model.summary,
        location=model.location,
        languages=list(model.languages),
        breadth=max(len(model.languages), listed.breadth if listed else 0),
        licence=model.licence,
        use=use_of(model.licence),
        size=model.size,
        dim=model.dim,
        usable=not model.missing,
        missing=model.missing,
        note=model.note,
    )
