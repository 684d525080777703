"""Vectors whose names are those of objects: of objects that are indexed, and of documents."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import PathNotIndexed
from encoders.fake import FakeEncoder
from indexer import index
from search import Filters
from search import browse as browsing
from search.query_language import parse
from store import Library
from store.exchange.import_vectors import ImportSettings, import_vectors
from store.exchange.sources import VectorSource, open_vectors
from tests.support.object_stores import MemoryStore, png_bytes, use_store


def vectors(folder: Path, *names: str, as_paths: bool = False) -> VectorSource:
    np.save(folder / "vectors.npy", np.eye(len(names), 8, dtype=np.float32))
    (folder / "names.txt").write_text("".join(f"{name}\n" for name in names))
    return open_vectors(folder / "vectors.npy", folder / "names.txt", as_paths=as_paths)


def found(library: Library, query: str) -> set[str]:
    return {image.path.name for image in browsing.browse(library, 100, Filters(where=parse(query).where)).pictures}


def test_relative_names_start_at_objects(
    library: Library, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryStore()
    store.put("bucket", "photos/2024/red.png", png_bytes("red"))
    use_store(monkeypatch, store)
    index(library, "s3://bucket/photos", encoder)
    source = vectors(tmp_path, "2024/red.png", "../photos/2024/none.png", as_paths=True)
    summary = import_vectors(library, source, "other", ImportSettings(root=Path("s3://bucket/photos")))
    assert (summary.pictures, summary.documents) == (1, 1)


@pytest.mark.parametrize("has_root", [False, True])
def test_documents_named_like_objects_are_found_by_folder_and_pattern(
    library: Library, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_root: bool
) -> None:
    store = MemoryStore()
    store.put("other", "x/file.png", png_bytes("red"))
    use_store(monkeypatch, store)
    if has_root:
        index(library, "s3://other", encoder)
    source = vectors(tmp_path, "s3://bucket/x/a.jpg", "s3://bucket/x/y/b.jpg", "s3://bucket/xy/c.jpg", "/x/d.jpg")
    import_vectors(library, source, "documents")
    assert found(library, "path:s3://bucket/x/*") == {"a.jpg", "b.jpg"}
    assert found(library, "path:S3://bucket/*/b.jpg") == {"b.jpg"}
    assert found(library, "in:s3://bucket/x") == {"a.jpg", "b.jpg"}
    assert found(library, "in:x -in:s3://bucket/x/y") == {"a.jpg", "d.jpg"} | ({"file.png"} if has_root else set())
    with pytest.raises(PathNotIndexed, match="s3://bucket/z"):
        found(library, "in:s3://bucket/z")
