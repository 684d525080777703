"""Damaged and random vector files are read or raise `BadVectorFile`, and no other exception."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import BadVectorFile
from store.exchange import open_vectors

VECTORS = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, VECTORS)
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"emb": list(VECTORS), "id": [f"d{row}" for row in range(40)]}), buffer)
    return buffer.getvalue()


def read(file: Path, names: Path | None = None) -> int:
    """Return the number of vectors in the file, or 0 if it is rejected."""
    try:
        return sum(len(vectors) for _, vectors in open_vectors(file, names))
    except BadVectorFile as exc:
        assert str(exc).startswith(str(exc.path))
        return 0


def spoilt(content: bytes, rng: random.Random) -> bytes:
    """Return `data` with a few bytes changed, removed or inserted, or truncated."""
    spoilt = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(spoilt))
        kind = rng.randrange(4)
        if kind == 0:
            spoilt[at] = rng.randrange(256)
        elif kind == 1:
            del spoilt[at : at + rng.randint(1, 40)]
        elif kind == 2:
            spoilt[at:at] = rng.randbytes(rng.randint(1, 40))
        elif rng.random() < 0.3:
            del spoilt[at:]
        if not spoilt:
            break
    return bytes(spoilt)


@pytest.mark.parametrize(("make", "ending"), [(npy, "npy"), (parquet, "parquet")])
def test_corrupted_files_raise_only_library_errors(tmp_path: Path, make: Callable[[], bytes], ending: str) -> None:
    file, content, rng = tmp_path / f"v.{ending}", make(), random.Random(1)
    refused = 0
    for _ in range(400):
        # The header of one format and the footer of the other describe the rest.
        head, rest = (content[:128], content[128:]) if ending == "npy" else (content[-700:], content[:-700])
        bad = spoilt(head, rng)
        file.write_bytes(bad + rest if ending == "npy" else rest + bad)
        refused += read(file) == 0
    assert refused > 200


def test_corrupted_names_raise_only_library_errors(tmp_path: Path) -> None:
    (tmp_path / "v.npy").write_bytes(npy())
    lines = b"".join(b'{"id": "d%d", "path_b64": null}\n' % row for row in range(40))
    names, rng = tmp_path / "n.jsonl", random.Random(2)
    refused = 0
    for _ in range(200):
        names.write_bytes(spoilt(lines, rng))
        refused += read(tmp_path / "v.npy", names) == 0
    assert refused > 50


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"PAR1PAR1", b"PAR1" + bytes(8) + b"PAR1", b"\x93NUMPY", b"\x93NUMPY\x03\x00" + b"\xff" * 8]
)
@pytest.mark.parametrize("ending", ["npy", "parquet", "jsonl"])
def test_random_files_raise_only_library_errors(tmp_path: Path, content: bytes, ending: str) -> None:
    (tmp_path / f"v.{ending}").write_bytes(content)
    assert read(tmp_path / f"v.{ending}") == 0


def test_pickle_in_the_header_is_not_executed(tmp_path: Path) -> None:
    header = b"{'descr': __import__('os').system('touch %s'), 'fortran_order': False, 'shape': (1, 1)}\n"
    header %= bytes(tmp_path / "run")
    (tmp_path / "v.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(8))
    assert read(tmp_path / "v.npy") == 0
    assert not (tmp_path / "run").exists()
