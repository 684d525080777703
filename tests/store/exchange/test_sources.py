"""Reading files of vectors: every supported layout, and malformed files."""

import json
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import BadVectorFile, ExtraMissing
from store.exchange import ItemName, ParquetColumns, VectorSource, open_vectors, read_vectors
from store.exchange.vector_file import BLOCK_SIZE, name_to_json, read_names
from tests.support.vectors import Vectors, unit_vectors

WriteVectors = Callable[..., tuple[Path, Path | None]]


def everything(source: VectorSource) -> tuple[list[ItemName], Vectors]:
    blocks = list(source)
    return [name for names, _ in blocks for name in names], np.concatenate([vectors for _, vectors in blocks])


def lists(vectors: Vectors, kind: str = "list") -> pa.Array:
    """The vectors as a column."""
    flat = pa.array(vectors.reshape(-1))
    if kind == "fixed":
        return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    offsets = np.arange(0, vectors.size + 1, vectors.shape[1])
    if kind == "large":
        return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), flat)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat)


def table(file: Path, /, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), file)
    return file


# --- .npy


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
def test_array_with_a_list_of_names(write_vectors: WriteVectors, dtype: str) -> None:
    vectors = unit_vectors(7).astype(dtype)
    source = open_vectors(*write_vectors(vectors, [b"n%d" % number for number in range(7)]))
    names, found = everything(source)
    assert (source.count, source.dim, source.dtype) == (7, 8, np.dtype(dtype))
    assert names == [ItemName(b"n%d" % number) for number in range(7)]
    assert (found == vectors).all()


def test_column_major_array(write_vectors: WriteVectors) -> None:
    vectors = unit_vectors(7)
    _, found = everything(open_vectors(*write_vectors(np.asfortranarray(vectors))))
    assert (found == vectors).all()


def test_several_blocks_are_numbered_without_names(write_vectors: WriteVectors) -> None:
    vectors = unit_vectors(2 * BLOCK_SIZE + 1, 2)
    source = open_vectors(*write_vectors(vectors))
    assert [len(names) for names, _ in source] == [BLOCK_SIZE, BLOCK_SIZE, 1]
    names, found = everything(source)
    assert (found == vectors).all()
    assert names[-1] == ItemName(b"%d" % (2 * BLOCK_SIZE))  # vectors without names are numbered


@pytest.mark.parametrize(
    ("array", "fault"),
    [
        (np.zeros(4, np.float32), "shape"),
        (np.zeros((2, 2, 2), np.float32), "shape"),
        (np.zeros((0, 4), np.float32), "shape"),
        (np.zeros((4, 0), np.float32), "shape"),
        (np.float32(1), "shape"),
        (np.zeros((2, 2), np.int8), "int8"),
        (np.zeros((2, 2), np.complex64), "complex64"),
    ],
)
def test_arrays_of_wrong_shape_or_type_are_rejected(tmp_path: Path, array: Vectors, fault: str) -> None:
    np.save(tmp_path / "v.npy", array)
    with pytest.raises(BadVectorFile, match=fault):
        open_vectors(tmp_path / "v.npy")


def test_archive_of_arrays_is_rejected(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", unit_vectors(2))
    with pytest.raises(BadVectorFile, match="archive"):
        open_vectors(tmp_path / "v.npz")


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return (lambda name: Path(name).touch(), (str(tmp_path / "run"),))

    np.save(tmp_path / "v.npy", np.array([[{"a": 1}]], dtype=object), allow_pickle=True)
    with pytest.raises(BadVectorFile, match="a pickled array, which is not read because unpickling can run code"):
        open_vectors(tmp_path / "v.npy")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("start", "fault"),
    [
        (b"ARROW1\0\0", "an Arrow .Feather. file; save the vectors as Parquet"),
        (b"PAR1", "a Parquet file; give it a name that ends in .parquet"),
        (b"\x80\x04\x95", "a pickled object, which is not read"),
        (b"\x89HDF\r\n", "an HDF5 file"),
        (b"1.0,2.0\n", "not a .npy file of vectors, but in another format"),
        (b"\x93NUMPY\x01\0\x04\0{]}\n", "its header is damaged"),
    ],
)
def test_files_of_other_formats_are_named(tmp_path: Path, start: bytes, fault: str) -> None:
    (tmp_path / "v.npy").write_bytes(start)
    with pytest.raises(BadVectorFile, match=fault) as caught:
        open_vectors(tmp_path / "v.npy")
    assert "allow_pickle=" not in str(caught.value)


@pytest.mark.parametrize("keep", [0, 3, 20, 100, -1])
def test_truncated_array_is_rejected(write_vectors: WriteVectors, keep: int) -> None:
    file, _ = write_vectors(unit_vectors(50))
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(BadVectorFile, match=r"not a \.npy file"):
        open_vectors(file)


def test_header_with_an_impossible_shape_is_rejected(tmp_path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 512), }\n"
    (tmp_path / "v.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64))
    with pytest.raises(BadVectorFile, match=r"not a \.npy file"):
        open_vectors(tmp_path / "v.npy")


@pytest.mark.parametrize("name", ["nothing.npy", "nothing", "nothing.parquet"])
def test_file_that_does_not_exist_is_rejected(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadVectorFile, match="no such file"):
        open_vectors(tmp_path / name)


# --- names


@pytest.mark.parametrize(
    ("count", "fault"),
    [(4, "4 names for 5 vectors"), (6, "6 names for 5"), (0, "0 names for 5"), (9, "9 names for 5")],
)
def test_number_of_names_must_equal_number_of_vectors(write_vectors: WriteVectors, count: int, fault: str) -> None:
    source = open_vectors(*write_vectors(unit_vectors(5), [b"n%d" % number for number in range(count)]))
    with pytest.raises(BadVectorFile, match=fault):
        everything(source)


def test_plain_names_keep_their_bytes(write_vectors: WriteVectors) -> None:
    names = [b"caf\xe9", b" blank ", b"a//b", b"/x/../y", "雪".encode(), b"no newline at the end"]
    file, listed = write_vectors(unit_vectors(6), names)
    assert listed is not None
    listed.write_bytes(b"\n".join(names))
    assert [name.value for name in everything(open_vectors(file, listed))[0]] == names
    assert [name.is_path for name in everything(open_vectors(file, listed, as_paths=True))[0]] == [True] * 6


@pytest.mark.parametrize("lines", [b"a\n\nb\n", b"a\nb\0c\nd\n"])
def test_line_without_a_name_is_reported_by_number(write_vectors: WriteVectors, lines: bytes) -> None:
    file, listed = write_vectors(unit_vectors(3), [b"a"])
    assert listed is not None
    listed.write_bytes(lines)
    with pytest.raises(BadVectorFile, match="no name in line 2"):
        everything(open_vectors(file, listed))


@pytest.mark.parametrize(
    "name", [ItemName(b"plain"), ItemName(b"caf\xe9\n", True), ItemName("雪/x".encode(), True), ItemName(b"\\x41")]
)
def test_json_round_trip_keeps_every_name(tmp_path: Path, name: ItemName) -> None:
    (tmp_path / "names.jsonl").write_text(name_to_json(name) + "\n", encoding="utf-8")
    assert list(read_names(tmp_path / "names.jsonl")) == [name]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (
            ['{"image": "b.jpg", "caption": "x", "id": "7"}', '{"image": "a/b.jpg", "caption": "y"}'],
            [b"b.jpg", b"a/b.jpg"],
        ),
        (
            ['{"file_name": "b", "text": "x"}', '{"file_name": "a", "text": "y"}', '{"file_name": "b", "text": "z"}'],
            [b"b", b"a"],
        ),
        (['{"image": "b.jpg", "captions": ["x", "y"]}'] * 3, [b"b.jpg"]),
        (['{"image": "b.jpg", "id": "7"}', '{"id": "7"}'], [b"7", b"7"]),  # no captions: IDs, as they stand there
    ],
)
def test_captions_name_each_picture_once(tmp_path: Path, lines: list[str], names: list[bytes]) -> None:
    listed = tmp_path / "captions.jsonl"
    listed.write_text("\n".join(lines))
    assert list(read_names(listed)) == [ItemName(name) for name in names]
    assert [name.is_path for name in read_names(listed, as_paths=True)] == [b"7" not in names] * len(names)


@pytest.mark.parametrize(
    ("name", "table", "names"),
    [
        ("photo_ids.csv", "photo_id\nXMyPniM9LF0\nrDLBArZUl1c\n", [b"XMyPniM9LF0", b"rDLBArZUl1c"]),
        ("t.tsv", "title\tId\tpath\nx, y\t7\ta.jpg\n", [b"7"]),
        ("t.csv", 'path,n\r\n"a, ""b"".jpg",1\r\n', [b'a, "b".jpg']),
    ],
)
def test_tables_have_a_column_of_names(tmp_path: Path, name: str, table: str, names: list[bytes]) -> None:
    (tmp_path / name).write_text(table)
    assert list(read_names(tmp_path / name)) == [ItemName(each) for each in names]
    if name == "t.tsv":
        assert list(read_names(tmp_path / name, as_paths=True)) == [ItemName(b"a.jpg", True)]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("a.jpg\nb.jpg\n", "no column of the header contains names: a.jpg"),
        ("", "no column of the header contains names: it is empty"),
        ("n,id\n1,a\n2\n", "no name in line 3"),
        ("id\na\n\n", "no name in line 3"),
    ],
)
def test_faults_of_tables_name_the_line(tmp_path: Path, table: str, fault: str) -> None:
    (tmp_path / "t.csv").write_text(table)
    with pytest.raises(BadVectorFile, match=fault):
        list(read_names(tmp_path / "t.csv"))


def test_json_lines_of_other_programs(tmp_path: Path) -> None:
    records = [{"id": 17, "score": 1}, {"path": None, "id": "x"}, {"path": "a.jpg", "id": "x"}]
    (tmp_path / "n.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert list(read_names(tmp_path / "n.jsonl")) == [ItemName(b"17"), ItemName(b"x"), ItemName(b"a.jpg", True)]


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"17", b'{"name": "x"}', b'{"id": ""}', b'{"id_b64": "%%%"}', b'{"path_b64": 3}', b"\xff"]
)
def test_json_line_without_a_name_is_rejected(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "n.jsonl").write_bytes(b'{"id": "x"}\n' + line + b"\n")
    with pytest.raises(BadVectorFile, match="line 2"):
        list(read_names(tmp_path / "n.jsonl"))


def test_empty_name_in_json_is_rejected(tmp_path: Path, write_vectors: WriteVectors) -> None:
    file, _ = write_vectors(unit_vectors(1))
    (tmp_path / "n.jsonl").write_text('{"id_b64": ""}\n')
    with pytest.raises(BadVectorFile, match="empty"):
        everything(open_vectors(file, tmp_path / "n.jsonl"))


def test_unreadable_list_is_rejected(tmp_path: Path, write_vectors: WriteVectors) -> None:
    file, _ = write_vectors(unit_vectors(1))
    with pytest.raises(BadVectorFile, match="Is a directory"):
        everything(open_vectors(file, tmp_path))


# --- Parquet


@pytest.mark.parametrize("kind", ["list", "large", "fixed"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_parquet_column_of_lists(tmp_path: Path, kind: str, dtype: str) -> None:
    vectors = unit_vectors(BLOCK_SIZE + 5, 4, dtype)
    ids = [f"d{number}" for number in range(len(vectors))]
    source = open_vectors(table(tmp_path / "v.parquet", emb=lists(vectors, kind), id=ids))
    names, found = everything(source)
    assert (source.count, source.dim, source.dtype) == (BLOCK_SIZE + 5, 4, np.dtype(dtype))
    assert found.tobytes() == vectors.tobytes()
    assert names == [ItemName(name.encode()) for name in ids]


@pytest.mark.parametrize(
    ("columns", "chosen", "name"),
    [
        ({"url": ["u"], "note": ["n"]}, ParquetColumns(), ItemName(b"u")),
        ({"image_path": ["a.jpg"], "id": ["i"]}, ParquetColumns(), ItemName(b"a.jpg", True)),
        ({"image_path": ["a.jpg"], "note": ["n"]}, ParquetColumns(id="note"), ItemName(b"n")),
        ({"image_path": ["a.jpg"], "note": ["n"]}, ParquetColumns(path="note"), ItemName(b"n", True)),
        ({"path": [None], "id": [17]}, ParquetColumns(), ItemName(b"17")),
        ({"id": [b"caf\xe9"]}, ParquetColumns(), ItemName(b"caf\xe9")),
        ({"note": ["n"]}, ParquetColumns(), ItemName(b"0")),
    ],
)
def test_parquet_columns_that_name_rows(
    tmp_path: Path, columns: dict[str, Any], chosen: ParquetColumns, name: ItemName
) -> None:
    file = table(tmp_path / "v.parquet", emb=lists(unit_vectors(1)), **columns)
    assert everything(open_vectors(file, columns=chosen))[0] == [name]


def test_parquet_column_that_contains_the_vectors(tmp_path: Path) -> None:
    first, second = unit_vectors(2), unit_vectors(2, seed=1)
    file = table(tmp_path / "v.parquet", embedding=lists(first), other=lists(second), tags=[[1], [2]])
    assert (everything(open_vectors(file))[1] == first).all()
    assert (everything(open_vectors(file, columns=ParquetColumns(vector="other")))[1] == second).all()


def test_list_of_names_replaces_the_names_of_the_file(tmp_path: Path, write_vectors: WriteVectors) -> None:
    file = table(tmp_path / "v.parquet", emb=lists(unit_vectors(2)), id=["a", "b"])
    _, listed = write_vectors(unit_vectors(1), [b"x", b"y"])
    assert everything(open_vectors(file, listed))[0] == [ItemName(b"x"), ItemName(b"y")]


def ragged(*rows: Sequence[float | None] | None) -> pa.Array:
    return pa.array(list(rows), pa.list_(pa.float32()))


@pytest.mark.parametrize(
    ("columns", "chosen", "fault"),
    [
        ({"emb": ragged([1, 2], [3])}, ParquetColumns(), "row 1: 1 numbers instead of 2"),
        ({"emb": ragged([1, 2], None)}, ParquetColumns(), "row 1: the vector is missing"),
        ({"emb": ragged([1, 2], [3, None])}, ParquetColumns(), "row 1: a number is missing"),
        ({"emb": ragged([], [])}, ParquetColumns(), "row 0: the vector is missing or empty"),
        ({"emb": ragged()}, ParquetColumns(), "no vectors"),
        ({"x": ragged([1]), "y": ragged([1])}, ParquetColumns(), "Several columns contain vectors: x, y"),
        ({"x": [1.0]}, ParquetColumns(), r"No column contains vectors\. .* Columns: x \(double\)"),
        ({"0": [1.0, 2.0], "1": [1.0, None]}, ParquetColumns(), "row 1: a number is missing"),
        ({"0": [1.0], "2": [1.0]}, ParquetColumns(), "No column contains vectors"),
        ({"a0": [1.0], "a1": [1.0], "b0": [1.0], "b1": [1.0]}, ParquetColumns(), "No column contains vectors"),
        ({"text": ["[1, 2]"]}, ParquetColumns(), r"Columns: text \(string\)"),
        ({"x": [[1, 2]]}, ParquetColumns(), "No column contains vectors"),
        ({"emb": ragged([1])}, ParquetColumns(vector="nope"), "Unknown column 'nope'"),
        ({"emb": ragged([1]), "id": [None]}, ParquetColumns(), "row 0 has no name"),
        ({"emb": ragged([1]), "id": [""]}, ParquetColumns(), "row 0 has no name"),
        ({"emb": ragged([1])}, ParquetColumns(id="nope"), "Unknown column 'nope'"),
    ],
)
def test_parquet_without_usable_vectors_is_rejected(
    tmp_path: Path, columns: dict[str, Any], chosen: ParquetColumns, fault: str
) -> None:
    file = table(tmp_path / "v.parquet", **columns)
    with pytest.raises(BadVectorFile, match=fault):
        everything(open_vectors(file, columns=chosen))


@pytest.mark.parametrize(("prefix", "first"), [("", 0), ("emb_", 0), ("dim ", 1)])
def test_one_column_for_each_dimension_is_read(tmp_path: Path, prefix: str, first: int) -> None:
    vectors = unit_vectors(12, 11)
    columns = {f"{prefix}{number}": vectors[:, number - first] for number in reversed(range(first, first + 11))}
    ids = [f"i{row}" for row in range(12)]
    file = table(tmp_path / "v.parquet", id=ids, rating=[1.5] * 12, **columns)
    names, read = everything(open_vectors(file))
    assert [name.value.decode() for name in names] == ids
    assert np.array_equal(read, vectors)
    other = table(tmp_path / "w.parquet", id=ids, other0=vectors[:, 0], other1=vectors[:, 1], **columns)
    assert np.array_equal(everything(open_vectors(other, columns=ParquetColumns(vector=prefix)))[1], vectors)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "not a Parquet file"),
        (b"PAR1", "not a readable Parquet file: it is damaged"),
        (b"text", "not a Parquet file"),
    ],
)
def test_file_that_is_not_parquet_is_rejected(tmp_path: Path, content: bytes, fault: str) -> None:
    (tmp_path / "v.parquet").write_bytes(content)
    with pytest.raises(BadVectorFile, match=fault):
        open_vectors(tmp_path / "v.parquet")


def test_missing_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = table(tmp_path / "v.parquet", emb=lists(unit_vectors(1)))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExtraMissing, match=r"sightline\[parquet\]"):
        open_vectors(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("suffix", [".txt", ".jsonl"])
def test_lists_of_names_may_be_in_any_unicode_encoding(tmp_path: Path, encoding: str, suffix: str) -> None:
    lines = ["käfer.jpg", "雪.jpg"] if suffix == ".txt" else ['{"id": "käfer.jpg"}', '{"id": "雪.jpg"}']
    names = tmp_path / f"names{suffix}"
    names.write_text("".join(f"{line}\r\n" for line in lines), encoding=encoding, newline="")
    assert [str(name) for name in read_names(names)] == ["käfer.jpg", "雪.jpg"]


# --- clip-retrieval


@pytest.fixture
def output(tmp_path: Path) -> Callable[..., Path]:
    """A folder as `clip-retrieval inference` writes it: one file of 3 vectors for each of `numbers`."""

    def make(vectors: Vectors, numbers: Sequence[str], *, flat: bool = False, kind: str = "img") -> Path:
        folder = tmp_path / "output"
        for number, start in zip(numbers, range(0, len(vectors), 3), strict=True):
            embeddings = folder if flat else folder / f"{kind}_emb"
            metadata = folder if flat else folder / "metadata"
            embeddings.mkdir(parents=True, exist_ok=True)
            metadata.mkdir(exist_ok=True)
            np.save(embeddings / f"{kind}_emb_{number}.npy", vectors[start : start + 3])
            paths = [f"photos/{start + row}.jpg" for row in range(3)]
            table(metadata / f"metadata_{number}.parquet", image_path=paths, caption=["a"] * 3, width=[1] * 3)
        return folder

    return make


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("numbers", [["0"], ["00", "01", "02"], [str(number) for number in range(11)]])
def test_output_folder_of_clip_retrieval(output: Callable[..., Path], numbers: list[str], flat: bool) -> None:
    """With more than ten files, the order of numbers differs from that of names."""
    vectors = unit_vectors(3 * len(numbers), dtype="float16")
    source = open_vectors(output(vectors, numbers, flat=flat))
    names, found = everything(source)
    assert names == [ItemName(b"photos/%d.jpg" % number, True) for number in range(len(vectors))]
    assert (source.dtype, found.tobytes()) == (np.dtype("float16"), vectors.tobytes())


def test_image_embeddings_are_preferred_to_text_embeddings(output: Callable[..., Path]) -> None:
    pictures, texts = unit_vectors(3, seed=1), unit_vectors(3, seed=2)
    output(texts, ["0"], kind="text")
    folder = output(pictures, ["0"])
    assert (everything(open_vectors(folder))[1] == pictures).all()
    assert (everything(open_vectors(folder / "text_emb"))[1] == texts).all()


def test_files_of_different_dimensions_are_rejected(output: Callable[..., Path]) -> None:
    folder = output(unit_vectors(6), ["0", "1"])
    np.save(folder / "img_emb" / "img_emb_1.npy", unit_vectors(3, 9))
    with pytest.raises(BadVectorFile, match="9 × float32, but the first file has 8"):
        open_vectors(folder)


def test_file_with_too_few_names_is_rejected(output: Callable[..., Path]) -> None:
    """Even if the total is right: names would belong to other vectors."""
    folder = output(unit_vectors(6), ["0", "1"])
    np.save(folder / "img_emb" / "img_emb_0.npy", unit_vectors(4))
    np.save(folder / "img_emb" / "img_emb_1.npy", unit_vectors(2))
    with pytest.raises(BadVectorFile, match=r"metadata_0\.parquet: 3 names for 4"):
        everything(open_vectors(folder))


def test_embeddings_without_metadata_need_a_list_of_names(
    output: Callable[..., Path], write_vectors: WriteVectors
) -> None:
    folder = output(unit_vectors(6), ["0", "1"])
    (folder / "metadata" / "metadata_1.parquet").unlink()
    with pytest.raises(BadVectorFile, match=r"metadata_1\.parquet is missing"):
        open_vectors(folder)
    _, listed = write_vectors(unit_vectors(1), [b"n%d" % number for number in range(6)])
    assert everything(open_vectors(folder, listed))[0][5] == ItemName(b"n5")


def test_metadata_without_names_is_rejected(output: Callable[..., Path]) -> None:
    folder = output(unit_vectors(3), ["0"])
    table(folder / "metadata" / "metadata_0.parquet", caption=["a"] * 3)
    with pytest.raises(BadVectorFile, match=r"No column contains names\. Columns: caption"):
        everything(open_vectors(folder))


def test_folder_without_vectors_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "img_emb_x.npy").touch()
    with pytest.raises(BadVectorFile, match="contains neither"):
        open_vectors(tmp_path)


# --- read_vectors


def test_read_vectors_returns_names_and_one_matrix(write_vectors: WriteVectors) -> None:
    vectors = unit_vectors(3, dtype="float16")
    names, found = read_vectors(*write_vectors(vectors, [b"q1", b"q2", "雪".encode()]))
    assert names == ["q1", "q2", "雪"]
    assert found.dtype == np.float32
    assert (found == vectors).all()


def test_read_vectors_of_unnamed_vectors_returns_no_names(write_vectors: WriteVectors) -> None:
    path, listed = write_vectors(unit_vectors(3), [b"0", b"1", b"2"])
    assert read_vectors(path)[0] is None
    assert read_vectors(path, listed)[0] == ["0", "1", "2"]
