"""The reference of the HTTP API at `/docs`: a page that reads `openapi.json`, and loads nothing from other hosts."""

from fastapi import FastAPI
from fastapi.responses import FileResponse

from web.page import STATIC_FOLDER

__all__ = ["mount_reference"]


def mount_reference(app: FastAPI) -> None:
    """Add the route of the reference."""

    @app.get("/docs", include_in_schema=False)
    def reference() -> FileResponse:
        return FileResponse(STATIC_FOLDER / "reference" / "index.html", headers={"Cache-Control": "no-cache"})
