"""A picture that is a question and may be in the library already: the id of a document, or the bytes of a file."""

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidQuery
from store.library import Library
from store.queries import document_content, stored_vector, vector_of
from store.spaces.registry import StoredSpace

__all__ = ["Known", "known_picture"]

Known = tuple[int, NDArray[np.float32]]
"""The id of a content, and its vector (D,) as it is stored."""


def known_picture(library: Library, stored: StoredSpace, image: Path | str) -> Known | None:
    """What the library holds of `image`: a document of the space, or a file of the very same bytes; None for nothing.

    Raises `InvalidQuery` when it is no document and cannot be read.
    """
    return _document(library, stored, image) or _file(library, stored, Path(image))


def _document(library: Library, stored: StoredSpace, document: Path | str) -> Known | None:
    with library.read() as connection:
        content_id = document_content(connection, stored, os.fsencode(document))
        vector = None if content_id is None else vector_of(connection, stored, content_id)
    return None if content_id is None or vector is None else (content_id, vector)


def _file(library: Library, stored: StoredSpace, image: Path) -> Known | None:
    try:
        if image.exists() and not image.is_file():  # a pipe can be read only once, and whoever decodes it does
            return None
        with image.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
    except (OSError, ValueError) as exc:  # the latter: a NUL byte in the name
        nor_document = ", and no document has this id" if stored.space.is_imported else ""
        raise InvalidQuery(f"{image}: {getattr(exc, 'strerror', None) or exc}{nor_document}") from exc
    with library.read() as connection:
        return stored_vector(connection, stored, digest)
