"""The application: every route, and what stands before them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute

from core.version import __version__
from store.library import Library
from web import errors
from web.api import (
    albums,
    export,
    facets,
    health,
    highlight,
    jobs,
    judgements,
    knn,
    models,
    pictures,
    search,
    spaces,
    status,
    tags,
    uploads,
)
from web.guard import Guard
from web.http_caching import Heads
from web.service import Service
from web.settings import ServeSettings
from web.static_files import mount_page

__all__ = ["API", "create_app"]

API = "/api/v1"

DESCRIPTION = """\
Find pictures by what they show. Everything that can be found is a *picture* with an `id` that stands for what its
bytes hold: copies share it, and it is never given to another picture. Errors are problem documents (RFC 9457) whose
`title` is the name of the exception in Python; one that may pass comes with `Retry-After`. A server that was given a
token wants it as `Authorization: Bearer TOKEN`. Whatever answers GET answers HEAD.
"""

TAGS = [
    {"name": name, "description": description}
    for name, description in {
        "search": "Questions in words and pictures, filters, and what there is to choose from.",
        "pictures": "One picture, or some of them to take along.",
        "highlight": "Where in a picture something is.",
        "tags": "What people say of their pictures, and questions that they gave a name.",
        "judgements": "Right or wrong: for an evaluation on one's own pictures.",
        "library": "What the library holds, what could not be read, which space answers, and models to choose from.",
        "jobs": "Work that takes longer than a request: one at a time.",
        "clip-retrieval": "What the clients of clip-retrieval 2.45 ask for.",
        "health": "For a supervisor, and for Prometheus.",
    }.items()
]
"""The subjects, in the API's document."""


def create_app(library: Library, settings: ServeSettings | None = None) -> FastAPI:
    """An ASGI application that serves `library`; the caller closes the library after it."""
    settings = settings or ServeSettings()
    app = FastAPI(
        title="Sightline",
        version=__version__,
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # its page loads scripts from elsewhere; the document itself is at openapi.json
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        openapi_tags=TAGS,
        generate_unique_id_function=_name,
    )
    app.state.service = Service(library, settings)
    errors.install(app)
    for module in ROOMS:
        app.include_router(module.router, prefix=API, responses=PROBLEMS)
    app.include_router(knn.router, responses=PROBLEMS)
    app.include_router(health.router, responses=PROBLEMS)
    mount_page(app)
    app.add_middleware(errors.Faults)
    app.add_middleware(app.state.service.metrics.middleware)
    app.add_middleware(Heads)
    app.add_middleware(Guard, settings=settings)  # the last one added is the first one asked
    return app


ROOMS = (search, facets, uploads, pictures, highlight, export, tags, albums, judgements, status, spaces, models, jobs)
"""The subjects of the API, in the order of its document."""

PROBLEMS: dict[int | str, dict[str, object]] = {
    "default": {
        "description": "What went wrong, as a problem document",
        "content": {errors.MEDIA_TYPE: {"schema": errors.Problem.model_json_schema()}},
    }
}
"""Every route may answer so."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # Each request that is worked on holds a connection and perhaps a picture: this bounds both.
    anyio.to_thread.current_default_thread_limiter().total_tokens = app.state.service.settings.threads
    try:
        yield
    finally:
        app.state.service.close()


def _name(route: APIRoute) -> str:
    return route.name
