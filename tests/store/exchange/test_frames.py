"""Contents with several frames: exported with a row for each frame, and imported again."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete, select

from core.errors import BadVectorFile
from core.frames import Frame, FrameKind
from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher, SearchOptions
from store import Library
from store.catalog.frame_ids import frame_id
from store.catalog.tables import Content, FrameEmbedding, FrameRow, Picture
from store.check import verify
from store.exchange import (
    ImportSettings,
    ImportSummary,
    ItemName,
    ParquetColumns,
    export_space,
    import_vectors,
    open_vectors,
    read_vectors,
)
from store.exchange.vector_file import BLOCK_SIZE, name_to_json, read_names
from store.frames import list_frames
from store.spaces.drop import forget_space
from store.spaces.embeddings import load_vectors, searchable_ids
from store.spaces.registry import StoredSpace, named_space
from tests.support.frames import add_pages
from tests.support.vectors import Vectors, unit_vectors

Import = Callable[..., ImportSummary]
PAGES = [Frame(number, FrameKind.PAGE) for number in range(3)]


def names_in(file: Path) -> list[ItemName]:
    return list(read_names(file))


def space_vectors(library: Library, stored: StoredSpace) -> dict[int, bytes]:
    """The stored vector of each searchable frame."""
    with library.read() as connection:
        ids = searchable_ids(connection, stored)
    return {int(frame): row.tobytes() for frame, row in zip(ids, load_vectors(library, stored, ids), strict=True)}


@pytest.fixture
def import_named(library: Library, tmp_path: Path) -> Import:
    """Import vectors with these names."""

    def importer(names: Sequence[ItemName], vectors: Vectors | None = None, space: str = "theirs") -> ImportSummary:
        np.save(tmp_path / "v.npy", unit_vectors(len(names)) if vectors is None else vectors)
        (tmp_path / "names.jsonl").write_text("".join(name_to_json(name) + "\n" for name in names), encoding="utf-8")
        source = open_vectors(tmp_path / "v.npy", tmp_path / "names.jsonl")
        return import_vectors(library, source, space, ImportSettings(replace=True))

    return importer


@pytest.fixture
def scans(library: Library, album: Path, encoder: FakeEncoder) -> list[int]:
    """Four pictures in the order of their IDs, the second with three pages."""
    index(library, [album], encoder)
    stored = named_space(library, "fake")
    with library.read() as connection:
        ids = sorted(int(row.content_id or 0) for row in connection.execute(select(Picture.content_id)))
    add_pages(library, stored, ids[1], unit_vectors(2, 13, "float16"))
    return ids


def path_of(library: Library, content_id: int) -> bytes:
    with library.read() as connection:
        (relpath,) = connection.execute(select(Picture.relpath).where(Picture.content_id == content_id)).scalars()
    return bytes(relpath)


@pytest.mark.parametrize("again", ["out", "out/vectors.parquet"])
def test_frames_of_pictures_are_restored(
    library: Library, scans: list[int], album: Path, tmp_path: Path, again: str
) -> None:
    stored = named_space(library, "fake")
    assert export_space(library, stored, tmp_path / "out", parquet=True) == 6
    assert [name.frame for name in names_in(tmp_path / "out" / "items.jsonl")] == [0, 0, 0, 0, 1, 2]
    lines = [json.loads(line) for line in (tmp_path / "out" / "items.jsonl").read_text().splitlines()]
    scan = str(album / path_of(library, scans[1]).decode())
    assert lines[4:] == [{"path": scan, "frame": 1}, {"path": scan, "frame": 2}]
    assert all(line.keys() == {"path"} for line in lines[:4])
    done = import_vectors(library, open_vectors(tmp_path / again), "again")
    assert (done.vectors, done.pictures, done.documents, done.unknown_frames) == (6, 6, 0, 0)
    assert space_vectors(library, done.stored) == space_vectors(library, stored)
    export_space(library, done.stored, tmp_path / "out2", parquet=True)
    for name in ("vectors.npy", "items.jsonl", "vectors.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes()
    assert verify(library) == []


def test_frames_of_an_export_become_pages_of_documents_in_another_library(
    library: Library, scans: list[int], album: Path, tmp_path: Path
) -> None:
    stored = named_space(library, "fake")
    export_space(library, stored, tmp_path / "out")
    scan = str(album / path_of(library, scans[1]).decode())
    with Library.open(tmp_path / "other", create=True) as other:
        done = import_vectors(other, open_vectors(tmp_path / "out"), "theirs")
        assert (done.pictures, done.documents, done.unknown_paths) == (0, 6, 4)
        assert sorted(space_vectors(other, done.stored).values()) == sorted(space_vectors(library, stored).values())
        query = unit_vectors(2, 13, "float16")[1]
        hits = Searcher(other).nearest(query, SearchOptions(k=9))
        assert (len(hits), hits[0].record.document, hits[0].frame) == (4, scan, PAGES[2])
        assert len(Searcher(other).nearest(query, SearchOptions(k=9, every_frame=True))) == 6
        assert list_frames(other, hits[0].id) == PAGES
        assert verify(other) == []
        export_space(other, done.stored, tmp_path / "out2")
        for name in ("vectors.npy", "items.jsonl"):
            ours, theirs = ((tmp_path / out / name).read_bytes() for out in ("out", "out2"))
            assert ours == theirs.replace(b'"id"', b'"path"')


def test_export_of_stills_has_no_frames(library: Library, import_named: Import, tmp_path: Path) -> None:
    done = import_named([ItemName(b"a"), ItemName(b"b")])
    export_space(library, done.stored, tmp_path / "out", parquet=True)
    assert (tmp_path / "out" / "items.jsonl").read_text() == '{"id": "a"}\n{"id": "b"}\n'
    assert pq.read_schema(tmp_path / "out" / "vectors.parquet").names == ["path", "id", "name_bytes", "embedding"]


def test_pages_of_documents_may_come_in_any_order_and_block(library: Library, import_named: Import) -> None:
    names = [ItemName(b"doc", frame=2), ItemName(b"doc"), ItemName(b"still")]
    names += [ItemName(b"n%d" % number) for number in range(BLOCK_SIZE)]
    names += [ItemName(b"doc", frame=1), ItemName(b"n0", frame=7), ItemName(b"n3", frame=1)]
    vectors = unit_vectors(len(names))
    done = import_named(names, vectors)
    assert (done.documents, done.pictures) == (len(names), 0)
    with library.read() as connection:
        ids = {row.relpath: row.content_id for row in connection.execute(select(Picture.relpath, Picture.content_id))}
    wanted = [frame_id(ids[name.value], name.frame) for name in names]
    np.testing.assert_array_equal(load_vectors(library, done.stored, np.array(wanted, np.int64)), vectors)
    assert list_frames(library, ids[b"doc"]) == PAGES
    assert [frame.number for frame in list_frames(library, ids[b"n0"])] == [0, 7]
    assert list_frames(library, ids[b"still"]) == []
    assert verify(library) == []


def test_unknown_frames_of_indexed_pictures_are_left_out(
    library: Library, scans: list[int], album: Path, import_named: Import
) -> None:
    """The file that was indexed has fewer pages than the one that the vectors are of."""
    scan = bytes(album) + b"/" + path_of(library, scans[1])
    still = bytes(album) + b"/" + path_of(library, scans[0])
    rows = [(scan, 2), (still, 0), (scan, 0), (scan, 3), (still, 1)]  # in any order within a block
    done = import_named([ItemName(value, is_path=True, frame=frame) for value, frame in rows])
    assert (done.vectors, done.pictures, done.documents, done.unknown_frames) == (5, 3, 0, 2)
    assert sorted(space_vectors(library, done.stored)) == sorted([scans[0], scans[1], frame_id(scans[1], 2)])
    assert list_frames(library, scans[0]) == []


def test_copies_share_the_frames_of_the_first(
    library: Library, scans: list[int], album: Path, encoder: FakeEncoder, import_named: Import
) -> None:
    name = path_of(library, scans[1]).decode()
    (album / "copy.png").write_bytes((album / name).read_bytes())
    index(library, [album], encoder)
    rows = [(str(album / file).encode(), frame) for frame in (0, 1) for file in (name, "copy.png")]
    done = import_named([ItemName(value, is_path=True, frame=frame) for value, frame in rows])
    assert (done.pictures, done.copies) == (2, 2)


FAULTS = {
    "first frame missing": ([ItemName(b"a"), ItemName(b"b", frame=1)], "Frame 1 of the name b .*before frame 0"),
    "repeated in a block": ([ItemName(b"a"), *[ItemName(b"a", frame=1)] * 2], "Frame 1 of the name a occurs twice"),
    "repeated later": (
        [
            ItemName(b"a"),
            ItemName(b"a", frame=1),
            *[ItemName(b"n%d" % n) for n in range(BLOCK_SIZE)],
            ItemName(b"a", frame=1),
        ],
        "Frame 1 of the name a occurs twice",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_inconsistent_frames_import_nothing(library: Library, import_named: Import, fault: str) -> None:
    names, message = FAULTS[fault]
    with pytest.raises(BadVectorFile, match=message):
        import_named(names)
    with library.read() as connection:
        assert connection.execute(select(Picture.id)).all() == []


def test_inconsistent_frames_of_pictures_are_rejected(
    library: Library, scans: list[int], album: Path, import_named: Import
) -> None:
    scan = ItemName(bytes(album) + b"/" + path_of(library, scans[1]), is_path=True)
    with pytest.raises(BadVectorFile, match="before frame 0"):
        import_named([scan._replace(frame=1), ItemName(b"a")])
    with pytest.raises(BadVectorFile, match=r"Frame 1 .* occurs twice"):
        import_named([scan, scan._replace(frame=1), scan._replace(frame=1)])


@pytest.mark.parametrize("value", ["-1", "1.0", '"1"', "true", "8388608", "[]"])
def test_invalid_frame_numbers_are_rejected(tmp_path: Path, value: str) -> None:
    (tmp_path / "names.jsonl").write_text(f'{{"id": "a"}}\n{{"id": "a", "frame": {value}}}\n')
    with pytest.raises(BadVectorFile, match="line 2: Invalid frame"):
        names_in(tmp_path / "names.jsonl")


def test_frame_null_is_the_first(tmp_path: Path) -> None:
    (tmp_path / "names.jsonl").write_text('{"id": "a", "frame": null}\n{"path": "b", "frame": 8388607}\n')
    assert names_in(tmp_path / "names.jsonl") == [ItemName(b"a"), ItemName(b"b", is_path=True, frame=8388607)]


def parquet(file: Path, **columns: pa.Array) -> Path:
    lists = pa.array([[1.0, 0.0], [0.0, 1.0]], pa.list_(pa.float32()))
    pq.write_table(pa.table({"id": ["a", "a"], "embedding": lists, **columns}), file)
    return file


def test_parquet_columns_of_integers_are_frames(tmp_path: Path) -> None:
    """Other columns of the same name are ignored, and one that names the rows is a name."""

    def names(column: pa.Array, columns: ParquetColumns | None = None) -> list[ItemName]:
        source = open_vectors(parquet(tmp_path / "v.parquet", frame=column), columns=columns)
        return [name for block, _ in source for name in block]

    assert names(pa.array([None, 3], pa.int16())) == [ItemName(b"a"), ItemName(b"a", frame=3)]
    assert names(pa.array(["x", "y"])) == [ItemName(b"a"), ItemName(b"a")]
    assert names(pa.array([4, 5]), ParquetColumns(id="frame")) == [ItemName(b"4"), ItemName(b"5")]
    with pytest.raises(BadVectorFile, match="row 1: Invalid frame -1"):
        names(pa.array([0, -1]))


def test_vectors_read_as_queries_have_plain_names(tmp_path: Path) -> None:
    names, _ = read_vectors(parquet(tmp_path / "v.parquet", frame=pa.array([0, 1])))
    assert names == ["a", "a"]


def test_frames_that_were_removed_are_not_exported(library: Library, scans: list[int], tmp_path: Path) -> None:
    with library.transaction() as connection:
        connection.execute(delete(FrameRow).where(FrameRow.number == 1))
    export_space(library, named_space(library, "fake"), tmp_path / "out")
    assert [name.frame for name in names_in(tmp_path / "out" / "items.jsonl")] == [0, 0, 0, 0, 2]


def test_forgetting_an_imported_space_removes_its_pages(library: Library, import_named: Import) -> None:
    done = import_named([ItemName(b"a"), ItemName(b"a", frame=1)])
    assert forget_space(library, done.stored) == 2
    with library.read() as connection:
        for table in (Content, FrameRow, FrameEmbedding):
            assert connection.execute(select(table)).all() == []
