"""Picture files with several frames, and libraries of them."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from sqlalchemy import select

from encoders.base import Encoder
from indexer import index
from pictures.decode import decode_frames
from store import Library
from store.catalog.frame_ids import frame_id
from store.catalog.tables import Content
from store.frames import record_frames
from store.library import mark_changed
from store.queries import content_records_in
from store.spaces.embeddings import add_vectors
from store.spaces.registry import active_space

__all__ = ["index_frames", "write_animation", "write_pages"]

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


def index_frames(library: Library, folder: Path, encoder: Encoder) -> dict[str, int]:
    """Index all frames of the files in a folder, and return the content IDs by file name."""
    index(library, [folder], encoder)
    stored = active_space(library)
    assert stored is not None
    with library.read() as connection:
        records = content_records_in(connection, list(connection.execute(select(Content.id)).scalars()))
    with library.exclusive() as writer, writer.transaction() as connection:
        for record in records.values():
            decoded = list(decode_frames(record.paths[0].read_bytes()))
            frames = [frame for frame, _ in decoded if frame is not None]
            vectors = encoder.encode_images([picture.image for _, picture in decoded])
            record_frames(connection, {record.id: frames})
            add_vectors(connection, stored, {frame_id(record.id, number): row for number, row in enumerate(vectors)})
        mark_changed(connection, stored.id)
    return {record.paths[0].name: record.id for record in records.values()}
