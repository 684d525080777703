"""The folders of the library as a tree."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool

from core.object_paths import as_path
from store.catalog.tables import RootKind
from store.folders import Folder, FolderContents, FolderName, list_folder
from store.library import Library
from web.api.facets import term
from web.dependencies import ServiceDep
from web.errors import NotFound
from web.printable import printable
from web.responses import ResponseModel

__all__ = ["router"]

router = APIRouter(tags=["library"])

MAX_ID_LENGTH = 12_300
"""Characters of an ID: a path of 4,096 bytes may need three for each."""


class FolderNameResponse(ResponseModel):
    """A folder of the library, or a collection of imported documents."""

    id: str
    """For `parent`."""
    name: str
    path: str
    """Bytes that are not UTF-8 are written as `\\xNN`."""
    term: str
    """The filter, in the query language, for the pictures in and below it."""
    kind: RootKind

    @classmethod
    def of(cls, folder: FolderName) -> "FolderNameResponse":
        """Convert a folder of the catalogue."""
        return cls(**_named(folder))


class FolderResponse(FolderNameResponse):
    """A folder with its pictures."""

    inside: int
    """Number of pictures directly in it; copies are counted."""
    below: int
    """Number of pictures in it and in all folders below it."""
    has_folders: bool
    cover: int | None
    """ID of the picture in or below it that was added last; null for documents, which have no pictures."""

    @classmethod
    def of(cls, folder: FolderName) -> "FolderResponse":
        """Convert a folder of the catalogue with its counts."""
        assert isinstance(folder, Folder)
        counts = {name: getattr(folder, name) for name in ("inside", "below", "has_folders", "cover")}
        return cls(**_named(folder), **counts)


class FoldersResponse(ResponseModel):
    """A folder, and the folders in it."""

    folder: FolderResponse | None
    """Null for the list of all root folders."""
    above: list[FolderNameResponse]
    """The folders that contain it, from its root on."""
    folders: list[FolderResponse]
    """By name. Folders without present pictures are left out."""
    total: int
    """Number of folders in it; `folders` has at most 5,000."""

    @classmethod
    def of(cls, listing: FolderContents) -> "FoldersResponse":
        """Convert a listing of the catalogue."""
        return cls(
            folder=None if listing.folder is None else FolderResponse.of(listing.folder),
            above=[FolderNameResponse.of(folder) for folder in listing.above],
            folders=[FolderResponse.of(folder) for folder in listing.folders],
            total=listing.total,
        )


@router.get("/folders")
async def folders(
    service: ServiceDep,
    parent: Annotated[
        str | None, Query(max_length=MAX_ID_LENGTH, description="`id` of a folder; without it, the roots are listed")
    ] = None,
) -> FoldersResponse:
    """List the folders in a folder of the library, with the number of pictures in each."""
    listing = await service.folders.get(parent or "", partial(_listed, service.library, parent or None))
    return await run_in_threadpool(FoldersResponse.of, listing)


def _listed(library: Library, parent: str | None) -> FolderContents:
    listing = list_folder(library, parent)
    if listing is None:
        raise NotFound("The library has no such folder, or no picture in it is present.")
    return listing


def _named(folder: FolderName) -> dict[str, Any]:
    shown = printable(as_path(folder.path))
    name = printable(as_path(folder.name))
    return {"id": folder.id, "name": name, "path": shown, "term": _term(folder), "kind": folder.kind}


def _term(folder: FolderName) -> str:
    """Return the filter for a folder. `in:` cannot name a folder that is not UTF-8, nor a collection."""
    if folder.kind is RootKind.COLLECTION:
        return term("path", f"*imported:{folder.path.decode('utf-8', 'replace')}/*")
    try:
        return term("folder", folder.path.decode("utf-8"))
    except UnicodeDecodeError:
        # Also matches folders whose names differ in just these bytes: filters compare paths as text.
        return term("path", folder.path.decode("utf-8", "replace").replace("\ufffd", "?") + "/*")
