"""Picture files with several frames, and the IDs of indexed files."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from sqlalchemy import select

from encoders.base import Encoder
from indexer import index
from store import Library
from store.catalog.tables import Content
from store.queries import content_records_in

__all__ = ["index_files", "write_animation", "write_pages"]

SIZE = (8, 8)


def write_pages(path: Path, *colours: str, sizes: Sequence[tuple[int, int]] = ()) -> Path:
    """Write a TIFF with a page of each colour, of 8 x 8 pixels or of `sizes`. Folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = [
        Image.new("RGB", size, colour) for colour, size in zip(colours, sizes or [SIZE] * len(colours), strict=True)
    ]
    first.save(path, save_all=True, append_images=others)
    return path


def write_animation(path: Path, *colours: str, milliseconds: int = 1000) -> Path:
    """Write an animated GIF that shows each colour for a time. Folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = [Image.new("RGB", SIZE, colour) for colour in colours]
    first.save(path, save_all=True, append_images=others, duration=milliseconds)
    return path


def index_files(library: Library, folder: Path, encoder: Encoder) -> dict[str, int]:
    """Index a folder, and return the content IDs of all files by name."""
    index(library, [folder], encoder)
    with library.read() as connection:
        records = content_records_in(connection, list(connection.execute(select(Content.id)).scalars()))
    return {path.name: record.id for record in records.values() for path in record.paths}
