"""The folders of the server's machine, to choose one to index. Which of them may be seen is in `web.server_folders`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query

from store.roots import folder_roots
from web.dependencies import ServiceDep
from web.errors import NotAllowed
from web.printable import printable
from web.responses import ResponseModel
from web.server_folders import ServerFolder, folder_of, folder_uri, is_below, list_folder, list_places

__all__ = ["router"]

router = APIRouter(tags=["library"])

MAX_PATH_LENGTH = 12_000
"""Characters of a path in a URI, in which each byte may take three."""


class ServerFolderResponse(ResponseModel):
    """A folder of the server's machine."""

    name: str
    path: str
    """Its path, as it is shown."""
    uri: str
    """Its path as a `file:` URI, which also names folders whose names are not UTF-8."""
    pictures: int | None
    """Number of picture files directly in it; null if they were not counted."""
    folders: int | None
    """Number of folders directly in it; null if they were not counted."""
    in_library: bool
    """Whether the folder is part of the library already."""


class FolderListingResponse(ResponseModel):
    """A folder of the server's machine, and the folders in it."""

    folder: ServerFolderResponse | None
    """Null for the list of places."""
    parent: str | None
    """The URI of the folder above, if it may be seen."""
    folders: list[ServerFolderResponse]
    """Sorted by name. Hidden folders are left out, and links that lead out of the places."""
    truncated: bool
    """Whether there are more folders."""


@router.get("/server-folders")
def server_folders(
    service: ServiceDep,
    folder: Annotated[
        str | None,
        Query(max_length=MAX_PATH_LENGTH, description="Path or `file:` URI; by default, the places to begin at"),
    ] = None,
) -> FolderListingResponse:
    """List the folders in a folder of the server's machine, with the number of pictures in each of them.

    Only folders at and below certain places can be seen: those of `sightline serve --allow-folder`, by default the home
    folder of the user that runs the server, and mounted disks.
    """
    places = service.settings.places
    if not places:
        raise NotAllowed("This server only indexes folders that are part of the library.")
    if folder is None:
        listing = list_places(places)
    else:
        path = folder_of(folder)
        if not is_below(path, places):
            raise NotAllowed("This folder is not below one that the server may show.")
        listing = list_folder(path, places)
    roots = [root for _, root in folder_roots(service.library)]
    return FolderListingResponse(
        folder=None if listing.folder is None else _to_response(listing.folder, roots),
        parent=None if listing.parent is None else folder_uri(listing.parent),
        folders=[_to_response(each, roots) for each in listing.folders],
        truncated=listing.is_cut,
    )


def _to_response(folder: ServerFolder, roots: Sequence[Path]) -> ServerFolderResponse:
    return ServerFolderResponse(
        name=printable(folder.path.name),
        path=printable(folder.path),
        uri=folder_uri(folder.path),
        pictures=folder.pictures,
        folders=folder.folders,
        in_library=any(folder.path.is_relative_to(root) for root in roots),
    )
