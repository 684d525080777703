"""Exporting a space and importing it again: the same bits, the same names."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlalchemy import update

from core.errors import ExchangeError
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.catalog.tables import Embedding
from store.exchange import ImportSummary, ItemName, export_space, import_vectors, open_vectors
from store.exchange.vector_file import BLOCK_SIZE, read_names
from store.spaces.registry import named_space
from tests.support.vectors import unit_vectors

ImportSpace = Callable[..., ImportSummary]


def names_of(folder: Path) -> list[ItemName]:
    return list(read_names(folder / "items.jsonl"))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("again", ["out", "out/vectors.npy", "out/vectors.parquet"])
def test_export_and_import_keep_vectors_and_names(
    library: Library, import_space: ImportSpace, tmp_path: Path, dtype: str, again: str
) -> None:
    vectors = unit_vectors(BLOCK_SIZE + 3, 16, dtype)
    ids = [b"caf\xe9 %d" % number for number in range(BLOCK_SIZE + 3)]
    done = import_space(vectors, ids)
    assert export_space(library, done.stored, tmp_path / "out", parquet=True) == BLOCK_SIZE + 3
    found = np.load(tmp_path / "out" / "vectors.npy")
    assert (found.dtype, found.tobytes()) == (np.dtype(dtype), vectors.tobytes())
    assert names_of(tmp_path / "out") == [ItemName(value) for value in ids]
    source = open_vectors(tmp_path / again, tmp_path / "out" / "items.jsonl" if again.endswith("npy") else None)
    second = import_vectors(library, source, "again")
    assert second.stored.space.weights == done.stored.space.weights
    export_space(library, second.stored, tmp_path / "out2")
    for name in ("vectors.npy", "items.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes()


def test_pictures_are_exported_by_path(library: Library, album: Path, tmp_path: Path) -> None:
    (album / os.fsdecode(b"caf\xe9.png")).write_bytes((album / "red.png").read_bytes() + b" ")
    (album / "again.png").write_bytes((album / "blue.png").read_bytes())
    index(library, [album], FakeEncoder())
    (album / "green.png").unlink()
    index(library, [album], FakeEncoder())
    stored = named_space(library, "fake")
    export_space(library, stored, tmp_path / "deep" / "out")
    names = names_of(tmp_path / "deep" / "out")
    assert all(name.is_path for name in names)
    # One row for the two copies, and no row for the missing file.
    assert {os.path.relpath(name.value, os.fsencode(album)) for name in names} == {
        b"again.png", b"caf\xe9.png", b"more/yellow.png", b"red.png"
    }  # fmt: skip
    facts = json.loads((tmp_path / "deep" / "out" / "space.json").read_text())
    assert (facts["model"], facts["fingerprint"]) == ("fake", stored.space.fingerprint)
    assert (facts["dim"], facts["dtype"], facts["count"]) == (13, "float16", 4)
    done = import_vectors(library, open_vectors(tmp_path / "deep" / "out"), "again")
    assert (done.pictures, done.documents) == (4, 0)


def test_parquet_export_has_vectors_and_names(
    library: Library, import_space: ImportSpace, album: Path, tmp_path: Path
) -> None:
    index(library, [album], FakeEncoder())
    vectors = unit_vectors(3, dtype="float16")
    done = import_space(vectors, [b"red.png", b"caf\xe9", b"doc"], as_paths=True, root=album)
    export_space(library, done.stored, tmp_path / "out", parquet=True)
    records = pq.read_table(tmp_path / "out" / "vectors.parquet").to_pylist()
    assert [(record["path"], record["id"], record["name_bytes"]) for record in records] == [
        (str(album / "red.png"), None, None),
        (None, "caf\\xe9", b"caf\xe9"),
        (None, "doc", None),
    ]
    np.testing.assert_array_equal([record["embedding"] for record in records], vectors)


@pytest.mark.parametrize("there", ["file", "folder", "link"])
def test_export_never_overwrites_existing_files(
    library: Library, import_space: ImportSpace, tmp_path: Path, there: str
) -> None:
    out = tmp_path / "out"
    if there == "link":
        out.symlink_to("nowhere")
    else:
        out.mkdir() if there == "folder" else out.touch()
    with pytest.raises(ExchangeError, match="already exists"):
        export_space(library, import_space(unit_vectors(1)).stored, out)


def test_failed_export_leaves_no_folder(
    library: Library, import_space: ImportSpace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = import_space(unit_vectors(2)).stored
    before = sorted(tmp_path.iterdir())

    def full(name: ItemName) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("store.exchange.export.name_to_json", full)
    with pytest.raises(ExchangeError, match="No space left"):
        export_space(library, stored, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


def test_export_fails_if_vectors_are_damaged(library: Library, import_space: ImportSpace, tmp_path: Path) -> None:
    stored = import_space(unit_vectors(3)).stored
    with library.transaction() as connection:
        connection.execute(update(Embedding).where(Embedding.content_id == 2).values(vector=b"short"))
    with pytest.raises(ExchangeError, match="damaged"):
        export_space(library, stored, tmp_path / "out")
    assert not (tmp_path / "out").exists()
