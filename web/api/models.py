"""The models to choose from, whether each can be used now, and what a download would be. No model is loaded."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from encoders.hub.client import endpoint
from encoders.languages import language_code
from encoders.licences import PermittedUse, commercial_only, permitted_use
from encoders.machine import this_machine
from encoders.model_catalog import MODEL_CATALOG, TEST_DOUBLE, is_known_weak, recommend
from encoders.model_info import INSTALL_CLIP, ModelDescription, ModelLocation, all_models
from encoders.registry import DEFAULT_MODEL
from indexer.jobs.model_download import plan_download
from web.dependencies import ServiceDep
from web.errors import NotAllowed
from web.requests import RequestModel
from web.responses import ResponseModel
from web.service import Service

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
    can_download: bool
    """Whether a job of kind `model` can download it: it is not installed, the server has what a download needs, and
    clients are allowed to."""
    recommended: bool
    """Whether it is the one to choose on this machine for queries in the language that was asked about."""
    weak: bool
    """Whether it is known to be weak in that language."""


class DownloadRequest(RequestModel):
    """A model to download."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "BAAI/AltCLIP"}]})

    name: str = Field(min_length=1, max_length=200)


class DownloadResponse(ResponseModel):
    """What a download would be."""

    name: str
    size: int
    """Bytes."""
    licence: str
    """To accept it, a job of kind `model` gets this text as its parameter `licence`."""
    use: PermittedUse
    repositories: list[str]
    """The addresses at which the licence and the files can be read."""


@router.get("")
def list_models(
    service: ServiceDep,
    language: Annotated[
        str | None, Query(max_length=20, description="ISO 639-1 code, to recommend a model for")
    ] = None,
) -> list[ModelResponse]:
    """List the models: built in, downloaded, recommended. `SIGHTLINE_COMMERCIAL` leaves out models it forbids."""
    code = None if language is None else language_code(language)
    best = None if code is None else _recommended(code)
    offered = [
        _to_response(model, service, code, best)
        for model in all_models()
        if model.task == "encoder" and model.name != TEST_DOUBLE
    ]
    return [model for model in offered if model.use == "commercial" or not commercial_only()]


@router.post("/download-plan")
def plan(request: DownloadRequest, service: ServiceDep) -> DownloadResponse:
    """Ask the hub about the download of a model. This is the only route that sends a request to another host itself."""
    if not service.settings.may_index_folders:
        raise NotAllowed("This server does not allow clients to download models.")
    planned = plan_download(request.name)
    licence = " and ".join(planned.known_licences)
    return DownloadResponse(
        name=planned.name,
        size=planned.size,
        licence=licence,
        use=permitted_use(licence),
        repositories=[f"{endpoint()}/{part.listing.repository}" for part in planned.parts],
    )


def _recommended(code: str) -> str | None:
    """Return the name of the model to recommend for a language; None if all are weak in it."""
    chosen = recommend(code, this_machine(), commercial=commercial_only()).model
    name = DEFAULT_MODEL if chosen is None else chosen.name
    return None if is_known_weak(name, code) else name


def _to_response(model: ModelDescription, service: Service, language: str | None, best: str | None) -> ModelResponse:
    listed = MODEL_CATALOG.get(model.name)
    is_offered = service.settings.may_index_folders and model.location == "recommended"
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
        can_download=is_offered and INSTALL_CLIP not in model.missing,
        recommended=model.name == best,
        weak=language is not None and is_known_weak(model.name, language),
    )
