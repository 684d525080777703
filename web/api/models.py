"""The models to choose from, and whether each can be used now. No model is loaded."""

from fastapi import APIRouter

from encoders.licences import PermittedUse, commercial_only, permitted_use
from encoders.model_catalog import MODEL_CATALOG, TEST_DOUBLE
from encoders.model_info import ModelDescription, ModelLocation, all_models
from web.responses import ResponseModel

__all__ = ["ModelResponse", "router"]

router = APIRouter(prefix="/models", tags=["library"])


class ModelResponse(ResponseModel):
    """A model. Unknown facts are null or empty."""

    name: str
    """The name for `POST /jobs`."""
    summary: str
    location: ModelLocation
    """`recommended` models are not installed yet."""
    languages: list[str]
    """ISO 639-1 codes of the languages it is good at, the best first."""
    breadth: int
    """Approximate number of languages it understands, including those it is weak at."""
    licence: str
    """Licence of its weights: an SPDX identifier if there is one, `unknown` if its authors state none."""
    use: PermittedUse
    """Whether the licence is known to allow commercial use."""
    size: int | None
    """Bytes on disk, or the approximate size of the download."""
    dim: int | None
    usable: bool
    """Whether the model can be used now."""
    missing: str
    """The commands that make it usable; empty if it is usable."""
    note: str


@router.get("")
def list_models() -> list[ModelResponse]:
    """List the models: built in, downloaded, recommended. `SIGHTLINE_COMMERCIAL` leaves out models it forbids."""
    offered = [_to_response(model) for model in all_models() if model.task == "encoder" and model.name != TEST_DOUBLE]
    return [model for model in offered if model.use == "commercial" or not commercial_only()]


def _to_response(model: ModelDescription) -> ModelResponse:
    listed = MODEL_CATALOG.get(model.name)
    return ModelResponse(
        name=model.name,
        summary=model.summary,
        location=model.location,
        languages=list(model.languages),
        breadth=max(len(model.languages), listed.breadth if listed else 0),
        licence=model.licence,
        use=permitted_use(model.licence),
        size=model.size,
        dim=model.dim,
        usable=not model.missing,
        missing=model.missing,
        note=model.note,
    )
