"""The page: files that lie beside this one, sent as they are. Nothing is built, nothing comes from elsewhere."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

__all__ = ["STATIC", "mount_page"]

STATIC = Path(__file__).parent / "static"


def mount_page(app: FastAPI, folder: Path = STATIC) -> None:
    """Serves the page at `/` and what it is made of under `/static`."""

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(folder / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/static", StaticFiles(directory=folder), name="static")
