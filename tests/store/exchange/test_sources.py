"""Files of vectors as people have them: every layout, and every way in which it can be wrong."""

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
from store.exchange import Columns, Name, VectorSource, open_vectors, read_vectors
from store.exchange.names import as_json, read_names
from store.exchange.vector_file import BLOCK
from tests.store.exchange.conftest import Vectors, unit_vectors

Write = Callable[..., tuple[Path, Path | None]]


def everything(source: VectorSource) -> tuple[list[Name], Vectors]:
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
def test_an_array_and_its_names(write: Write, dtype: str) -> None:
    vectors = unit_vectors(7).astype(dtype)
    source = open_vectors(*write(vectors, [b"n%d" % number for number in range(7)]))
    names, found = everything(source)
    assert (source.count, source.dim, source.dtype) == (7, 8, np.dtype(dtype))
    assert names == [Name(b"n%d" % number) for number in range(7)]
    assert (found == vectors).all()


def test_column_major_arrays(write: Write) -> None:
    vectors = unit_vectors(7)
    _, found = everything(open_vectors(*write(np.asfortranarray(vectors))))
    assert (found == vectors).all()


def test_more_than_a_block(write: Write) -> None:
    vectors = unit_vectors(2 * BLOCK + 1, 2)
    source = open_vectors(*write(vectors))
    assert [len(names) for names, _ in source] == [BLOCK, BLOCK, 1]
    names, found = everything(source)
    assert (found == vectors).all()
    assert names[-1] == Name(b"%d" % (2 * BLOCK))  # without a list, they are numbered


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
def test_arrays_that_are_no_vectors(tmp_path: Path, array: Vectors, fault: str) -> None:
    np.save(tmp_path / "v.npy", array)
    with pytest.raises(BadVectorFile, match=fault):
        open_vectors(tmp_path / "v.npy")


def test_an_archive_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", unit_vectors(2))
    with pytest.raises(BadVectorFile, match="archive"):
        open_vectors(tmp_path / "v.npz")


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return (lambda name: Path(name).touch(), (str(tmp_path / "run"),))

    np.save(tmp_path / "v.npy", np.array([[{"a": 1}]], dtype=object), allow_pickle=True)
    with pytest.raises(BadVectorFile, match=r"no \.npy file"):
        open_vectors(tmp_path / "v.npy")


@pytest.mark.parametrize("keep", [0, 3, 20, 100, -1])
def test_a_file_that_ends_too_early(write: Write, keep: int) -> None:
    file, _ = write(unit_vectors(50))
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(BadVectorFile, match=r"no \.npy file"):
        open_vectors(file)


def test_a_header_that_promises_too_much(tmp_path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 512), }\n"
    (tmp_path / "v.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64))
    with pytest.raises(BadVectorFile, match=r"no \.npy file"):
        open_vectors(tmp_path / "v.npy")


@pytest.mark.parametrize("name", ["nothing.npy", "nothing", "nothing.parquet"])
def test_what_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadVectorFile, match="no such file"):
        open_vectors(tmp_path / name)


# --- names


@pytest.mark.parametrize(
    ("count", "fault"),
    [(4, "names 4 of 5 vectors"), (6, "has 6 names for 5"), (0, "names 0 of 5"), (9, "has 9 names for 5")],
)
def test_as_many_names_as_vectors(write: Write, count: int, fault: str) -> None:
    source = open_vectors(*write(unit_vectors(5), [b"n%d" % number for number in range(count)]))
    with pytest.raises(BadVectorFile, match=fault):
        everything(source)


def test_plain_names_keep_their_bytes(write: Write) -> None:
    names = [b"caf\xe9", b" blank ", b"a//b", b"/x/../y", "雪".encode(), b"no newline at the end"]
    file, listed = write(unit_vectors(6), names)
    assert listed is not None
    listed.write_bytes(b"\n".join(names))
    assert [name.value for name in everything(open_vectors(file, listed))[0]] == names
    assert [name.is_path for name in everything(open_vectors(file, listed, as_paths=True))[0]] == [True] * 6


@pytest.mark.parametrize("lines", [b"a\n\nb\n", b"a\nb\0c\nd\n"])
def test_a_line_without_a_name_is_counted(write: Write, lines: bytes) -> None:
    file, listed = write(unit_vectors(3), [b"a"])
    assert listed is not None
    listed.write_bytes(lines)
    with pytest.raises(BadVectorFile, match="line 2 holds no name"):
        everything(open_vectors(file, listed))


@pytest.mark.parametrize(
    "name", [Name(b"plain"), Name(b"caf\xe9\n", True), Name("雪/x".encode(), True), Name(b"\\x41")]
)
def test_json_says_every_name_exactly(tmp_path: Path, name: Name) -> None:
    (tmp_path / "names.jsonl").write_text(as_json(name) + "\n", encoding="utf-8")
    assert list(read_names(tmp_path / "names.jsonl")) == [name]


def test_json_of_others(tmp_path: Path) -> None:
    records = [{"id": 17, "score": 1}, {"path": None, "id": "x"}, {"path": "a.jpg", "id": "x"}]
    (tmp_path / "n.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert list(read_names(tmp_path / "n.jsonl")) == [Name(b"17"), Name(b"x"), Name(b"a.jpg", True)]


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"17", b'{"name": "x"}', b'{"id": ""}', b'{"id_b64": "%%%"}', b'{"path_b64": 3}', b"\xff"]
)
def test_json_that_names_nothing(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "n.jsonl").write_bytes(b'{"id": "x"}\n' + line + b"\n")
    with pytest.raises(BadVectorFile, match="line 2"):
        list(read_names(tmp_path / "n.jsonl"))


def test_a_name_that_is_empty_after_all(tmp_path: Path, write: Write) -> None:
    file, _ = write(unit_vectors(1))
    (tmp_path / "n.jsonl").write_text('{"id_b64": ""}\n')
    with pytest.raises(BadVectorFile, match="empty"):
        everything(open_vectors(file, tmp_path / "n.jsonl"))


def test_a_list_that_cannot_be_read(tmp_path: Path, write: Write) -> None:
    file, _ = write(unit_vectors(1))
    with pytest.raises(BadVectorFile, match="Is a directory"):
        everything(open_vectors(file, tmp_path))


# --- Parquet


@pytest.mark.parametrize("kind", ["list", "large", "fixed"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_column_of_lists(tmp_path: Path, kind: str, dtype: str) -> None:
    vectors = unit_vectors(BLOCK + 5, 4, dtype)
    ids = [f"d{number}" for number in range(len(vectors))]
    source = open_vectors(table(tmp_path / "v.parquet", emb=lists(vectors, kind), id=ids))
    names, found = everything(source)
    assert (source.count, source.dim, source.dtype) == (BLOCK + 5, 4, np.dtype(dtype))
    assert found.tobytes() == vectors.tobytes()
    assert names == [Name(name.encode()) for name in ids]


@pytest.mark.parametrize(
    ("columns", "chosen", "name"),
    [
        ({"url": ["u"], "note": ["n"]}, Columns(), Name(b"u")),
        ({"image_path": ["a.jpg"], "id": ["i"]}, Columns(), Name(b"a.jpg", True)),
        ({"image_path": ["a.jpg"], "note": ["n"]}, Columns(id="note"), Name(b"n")),
        ({"image_path": ["a.jpg"], "note": ["n"]}, Columns(path="note"), Name(b"n", True)),
        ({"path": [None], "id": [17]}, Columns(), Name(b"17")),
        ({"id": [b"caf\xe9"]}, Columns(), Name(b"caf\xe9")),
        ({"note": ["n"]}, Columns(), Name(b"0")),
    ],
)
def test_which_column_names_a_row(tmp_path: Path, columns: dict[str, Any], chosen: Columns, name: Name) -> None:
    file = table(tmp_path / "v.parquet", emb=lists(unit_vectors(1)), **columns)
    assert everything(open_vectors(file, columns=chosen))[0] == [name]


def test_which_column_holds_the_vectors(tmp_path: Path) -> None:
    first, second = unit_vectors(2), unit_vectors(2, seed=1)
    file = table(tmp_path / "v.parquet", embedding=lists(first), other=lists(second), tags=[[1], [2]])
    assert (everything(open_vectors(file))[1] == first).all()
    assert (everything(open_vectors(file, columns=Columns(vector="other")))[1] == second).all()


def test_names_of_a_list_go_before_those_of_the_file(tmp_path: Path, write: Write) -> None:
    file = table(tmp_path / "v.parquet", emb=lists(unit_vectors(2)), id=["a", "b"])
    _, listed = write(unit_vectors(1), [b"x", b"y"])
    assert everything(open_vectors(file, listed))[0] == [Name(b"x"), Name(b"y")]


def ragged(*rows: Sequence[float | None] | None) -> pa.Array:
    return pa.array(list(rows), pa.list_(pa.float32()))


@pytest.mark.parametrize(
    ("columns", "chosen", "fault"),
    [
        ({"emb": ragged([1, 2], [3])}, Columns(), "rows 0 to 1.*another length"),
        ({"emb": ragged([1, 2], None)}, Columns(), "missing"),
        ({"emb": ragged([1, 2], [3, None])}, Columns(), "missing"),
        ({"emb": ragged([], [])}, Columns(), "length"),
        ({"emb": ragged()}, Columns(), "no vectors"),
        ({"x": ragged([1]), "y": ragged([1])}, Columns(), r"several columns hold lists of floats \(x, y\)"),
        ({"x": [1.0]}, Columns(), "no column holds vectors; it has x"),
        ({"x": [[1, 2]]}, Columns(), "no column holds vectors"),
        ({"emb": ragged([1])}, Columns(vector="nope"), "no such column: nope"),
        ({"emb": ragged([1]), "id": [None]}, Columns(), "row 0 has no name"),
        ({"emb": ragged([1]), "id": [""]}, Columns(), "row 0 has no name"),
        ({"emb": ragged([1])}, Columns(id="nope"), "no such column: nope"),
    ],
)
def test_tables_that_are_no_vectors(tmp_path: Path, columns: dict[str, Any], chosen: Columns, fault: str) -> None:
    file = table(tmp_path / "v.parquet", **columns)
    with pytest.raises(BadVectorFile, match=fault):
        everything(open_vectors(file, columns=chosen))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no table at all"])
def test_a_file_that_is_no_table(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "v.parquet").write_bytes(content)
    with pytest.raises(BadVectorFile, match="no Parquet file"):
        open_vectors(tmp_path / "v.parquet")


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = table(tmp_path / "v.parquet", emb=lists(unit_vectors(1)))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExtraMissing, match=r"sightline\[parquet\]"):
        open_vectors(file)


# --- clip-retrieval


@pytest.fixture
def output(tmp_path: Path) -> Callable[..., Path]:
    """A folder as `clip-retrieval inference` writes it: parts, numbered as in `numbers`, of 3 vectors each."""

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
def test_what_clip_retrieval_writes(output: Callable[..., Path], numbers: list[str], flat: bool) -> None:
    """Also more than ten parts, whose numbers do not sort as their names do."""
    vectors = unit_vectors(3 * len(numbers), dtype="float16")
    source = open_vectors(output(vectors, numbers, flat=flat))
    names, found = everything(source)
    assert names == [Name(b"photos/%d.jpg" % number, True) for number in range(len(vectors))]
    assert (source.dtype, found.tobytes()) == (np.dtype("float16"), vectors.tobytes())


def test_pictures_go_before_texts(output: Callable[..., Path]) -> None:
    pictures, texts = unit_vectors(3, seed=1), unit_vectors(3, seed=2)
    output(texts, ["0"], kind="text")
    folder = output(pictures, ["0"])
    assert (everything(open_vectors(folder))[1] == pictures).all()
    assert (everything(open_vectors(folder / "text_emb"))[1] == texts).all()


def test_parts_that_do_not_belong_together(output: Callable[..., Path]) -> None:
    folder = output(unit_vectors(6), ["0", "1"])
    np.save(folder / "img_emb" / "img_emb_1.npy", unit_vectors(3, 9))
    with pytest.raises(BadVectorFile, match="9 × float32, the first file 8"):
        open_vectors(folder)


def test_a_part_with_too_few_names(output: Callable[..., Path]) -> None:
    """Although there are as many names as vectors in all: they would belong to other pictures."""
    folder = output(unit_vectors(6), ["0", "1"])
    np.save(folder / "img_emb" / "img_emb_0.npy", unit_vectors(4))
    np.save(folder / "img_emb" / "img_emb_1.npy", unit_vectors(2))
    with pytest.raises(BadVectorFile, match=r"metadata_0\.parquet: names 3 of 4"):
        everything(open_vectors(folder))


def test_parts_without_metadata(output: Callable[..., Path], write: Write) -> None:
    folder = output(unit_vectors(6), ["0", "1"])
    (folder / "metadata" / "metadata_1.parquet").unlink()
    with pytest.raises(BadVectorFile, match=r"no metadata_1\.parquet says whose"):
        open_vectors(folder)
    _, listed = write(unit_vectors(1), [b"n%d" % number for number in range(6)])
    assert everything(open_vectors(folder, listed))[0][5] == Name(b"n5")


def test_metadata_that_names_nothing(output: Callable[..., Path]) -> None:
    folder = output(unit_vectors(3), ["0"])
    table(folder / "metadata" / "metadata_0.parquet", caption=["a"] * 3)
    with pytest.raises(BadVectorFile, match="no column names the rows; it has caption"):
        everything(open_vectors(folder))


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "img_emb_x.npy").touch()
    with pytest.raises(BadVectorFile, match="holds neither"):
        open_vectors(tmp_path)


# --- all at once


def test_vectors_of_queries(write: Write) -> None:
    vectors = unit_vectors(3, dtype="float16")
    names, found = read_vectors(*write(vectors, [b"q1", b"q2", "雪".encode()]))
    assert names == ["q1", "q2", "雪"]
    assert found.dtype == np.float32
    assert (found == vectors).all()


def test_vectors_of_which_nobody_says_whose_they_are(write: Write) -> None:
    path, listed = write(unit_vectors(3), [b"0", b"1", b"2"])
    assert read_vectors(path)[0] is None
    assert read_vectors(path, listed)[0] == ["0", "1", "2"]
