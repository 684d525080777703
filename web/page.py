"""The page: its document at `/`, its files below `/static`, and the service worker that keeps them in the browser."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from core.pixels_version import PIXELS_VERSION
from store.library import Library
from store.library_key import library_key

__all__ = ["SERVICE_WORKER", "STATIC_FOLDER", "document", "mount_page", "service_worker", "shell_files"]

STATIC_FOLDER = Path(__file__).parent / "static"
"""The files of the page, served as they are; there is no build step, and nothing is loaded from other hosts."""

SERVICE_WORKER = "/service-worker.js"
"""Its address. A service worker can only answer for addresses below its own folder."""

WORKER_FILE = STATIC_FOLDER / "service-worker.js"


def mount_page(app: FastAPI, library: Library) -> None:
    """Add the routes of the page for `library`."""
    key = f"{library_key(library)}-{PIXELS_VERSION}"  # images may look otherwise with another version

    @app.get("/", include_in_schema=False)
    def page() -> HTMLResponse:
        return HTMLResponse(document(key), headers={"Cache-Control": "no-cache"})

    @app.get(SERVICE_WORKER, include_in_schema=False)
    def worker() -> Response:
        return Response(service_worker(), media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> RedirectResponse:  # browsers ask for it beside answers that name no icon, such as JSON
        return RedirectResponse("/static/icon.svg")

    app.mount("/static", PageFiles(directory=STATIC_FOLDER), name="static")


class PageFiles(StaticFiles):
    """Files that browsers ask for each time, and get again only if they have changed.

    Otherwise a browser may keep some of them for days after an upgrade, and modules of two versions do not fit.
    """

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a file, or that it has not changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def document(library: str) -> str:
    """Return the document of the page. `library` becomes part of the addresses of images (`store.library_key`).

    It names all modules, so that the browser loads them at once. Otherwise it would only find them one after the other,
    each in another that imports it.
    """
    modules = sorted(path.relative_to(STATIC_FOLDER).as_posix() for path in (STATIC_FOLDER / "js").rglob("*.js"))
    links = "".join(f'  <link rel="modulepreload" href="/static/{name}">\n' for name in modules)
    return (
        (STATIC_FOLDER / "index.html")
        .read_text(encoding="utf-8")
        .replace("</head>", f"{links}</head>")
        .replace("<html ", f'<html data-library="{library}" ', 1)
    )


def shell_files() -> list[str]:
    """Return the addresses of the files that the page consists of, its document first."""
    files = sorted(path for path in STATIC_FOLDER.rglob("*") if path.is_file() and path != WORKER_FILE)
    names = [path.relative_to(STATIC_FOLDER).as_posix() for path in files]
    return ["/", *(f"/static/{name}" for name in names if name != "index.html")]


@cache
def service_worker() -> str:
    """Return the script of the service worker, which begins with the version and the list of the page's files."""
    digest = hashlib.sha256(WORKER_FILE.read_bytes())
    for path in sorted(path for path in STATIC_FOLDER.rglob("*") if path.is_file()):
        digest.update(path.relative_to(STATIC_FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    constants = f"const VERSION = {json.dumps(digest.hexdigest()[:16])};\nconst FILES = {json.dumps(shell_files())};\n"
    return constants + WORKER_FILE.read_text(encoding="utf-8")
