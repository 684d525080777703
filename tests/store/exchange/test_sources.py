"""Reading vectors from arrays and from folders of other programs, and malformed ones."""

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadVectorFile
from store.exchange import ItemName, open_vectors, read_vectors
from store.exchange.vector_file import BLOCK_SIZE
from tests.support.parquet_files import table
from tests.support.vectors import Vectors, everything, unit_vectors

WriteVectors = Callable[..., tuple[Path, Path | None]]


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
