"""Memory that is free goes back to the system."""

import ctypes
import re
from pathlib import Path

import pytest

from core import memory
from core.memory import release_memory

BLOCKS, BLOCK_BYTES = 20_000, 4_096


def private_mb() -> float:
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.skipif(memory._malloc_trim() is None, reason="needs the C library glibc")
def test_memory_that_is_free_below_a_used_block_is_returned() -> None:
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    library.free.argtypes = [ctypes.c_void_p]
    blocks = [library.malloc(BLOCK_BYTES) for _ in range(BLOCKS)]  # 82 MB, in the pool of the C library
    for block in blocks:
        ctypes.memset(block, 1, BLOCK_BYTES)
    for block in blocks[:-1]:
        library.free(block)
    before = private_mb()
    release_memory()
    assert private_mb() < before - 60
    library.free(blocks[-1])


def test_nothing_happens_with_another_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_malloc_trim", lambda: None)
    release_memory()
