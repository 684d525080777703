"""The ASGI application: routes, middleware, and the static page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.lowlevel
import anyio.to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.version import __version__
from store.library import Library
from web.api import (
    albums,
    browse,
    duplicates,
    export,
    facets,
    folders,
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
    timeline,
    world_map,
)
from web.guard import GuardMiddleware
from web.page import mount_page
from web.problems import PROBLEM_MEDIA_TYPE, InternalErrorMiddleware, Problem, install_error_handlers
from web.reference import mount_reference
from web.service import Service
from web.settings import ServeSettings

__all__ = ["API_PREFIX", "create_app"]

API_PREFIX = "/api/v1"

DESCRIPTION = """\
Semantic image search. Every picture has an `id` that stands for the content of its file: copies share it, and it is
never reused. Errors are problem documents (RFC 9457) with a stable name as their `title`; an error that may be
temporary comes with `Retry-After`. A server with a token expects it as `Authorization: Bearer TOKEN`. Every GET route
also answers HEAD.
"""

TAGS = [
    {"name": name, "description": description}
    for name, description in {
        "search": "Queries of text and pictures, filters, and facets to filter by.",
        "pictures": "Single pictures, and export of a selection.",
        "highlight": "Where in a picture something is.",
        "tags": "Tags, ratings and albums.",
        "duplicates": "Near-duplicates, and pictures that were told apart.",
        "judgements": "Relevance judgements, for an evaluation on your own pictures.",
        "library": "Contents of the library, failed files, embedding spaces, and models to choose from.",
        "jobs": "Long-running work, one job at a time, the most urgent first.",
        "clip-retrieval": "Routes for clients of clip-retrieval 2.45.",
        "health": "Health check, and metrics for Prometheus.",
    }.items()
]
"""The sections of the OpenAPI document."""

ROUTERS = (
    search.router,
    facets.router,
    timeline.router,
    world_map.router,
    folders.router,
    search.uploads_router,
    pictures.router,
    highlight.router,
    export.router,
    tags.router,
    albums.router,
    albums.pictures_router,
    duplicates.router,
    judgements.router,
    status.router,
    spaces.router,
    models.router,
    browse.router,
    jobs.router,
)
"""The routers below `API_PREFIX`, in the order of the OpenAPI document."""

PROBLEM_RESPONSES: dict[int | str, dict[str, object]] = {
    "default": {
        "description": "An error, as a problem document",
        "content": {PROBLEM_MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
    }
}
"""The responses that every route shares."""


def create_app(library: Library, settings: ServeSettings | None = None) -> FastAPI:
    """Return an ASGI application that serves `library`. The caller closes the library afterwards."""
    settings = settings or ServeSettings()
    app = FastAPI(
        title="Sightline",
        version=__version__,
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # FastAPI's page loads scripts from another host; the document itself is at openapi.json
        redoc_url=None,
        openapi_url=f"{API_PREFIX}/openapi.json",
        openapi_tags=TAGS,
        generate_unique_id_function=_operation_id,
    )
    app.state.service = Service(library, settings)
    install_error_handlers(app)
    for router in ROUTERS:
        app.include_router(router, prefix=API_PREFIX, responses=PROBLEM_RESPONSES)
    app.include_router(knn.router, responses=PROBLEM_RESPONSES)
    app.include_router(status.health_router, responses=PROBLEM_RESPONSES)
    mount_reference(app)
    mount_page(app, library)
    app.add_middleware(InternalErrorMiddleware)
    app.add_middleware(app.state.service.metrics.middleware)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(GuardMiddleware, settings=settings)  # added last, so that it sees each request first
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # A request in progress holds a connection and perhaps a picture: the number of threads bounds both.
    anyio.to_thread.current_default_thread_limiter().total_tokens = app.state.service.settings.threads
    app.state.service.start()
    try:
        yield
    finally:
        app.state.service.close()


def _operation_id(route: APIRoute) -> str:
    return route.name


class HeadMiddleware:
    """ASGI middleware that answers HEAD like GET, without a body. The route is cancelled once its headers are sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
            else:
                await send({"type": "http.response.body", "body": b""})
                cancel_scope.cancel()
                await anyio.lowlevel.checkpoint()

        with anyio.CancelScope() as cancel_scope:
            await self._app({**scope, "method": "GET"}, receive, send_head)
