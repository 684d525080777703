"""Memory that is free goes back to the system, and threads share pools of it."""

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core import memory
from core.memory import limit_memory_pools, release_memory

BLOCKS, BLOCK_BYTES = 20_000, 4_096


def private_mb() -> float:
    found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.skipif(memory._function("malloc_trim") is None, reason="needs the C library glibc")
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
    monkeypatch.setattr(memory, "_function", lambda _: None)
    release_memory()
    limit_memory_pools()


IN_THREADS = """
import ctypes, sys, threading
from core.memory import limit_memory_pools
if sys.argv[1:]:
    limit_memory_pools()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
barrier = threading.Barrier(4)
def allocate():
    barrier.wait()
    library.malloc(100)
    barrier.wait()
threads = [threading.Thread(target=allocate) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library.malloc_stats()
"""


def pools(*arguments: str, **environment: str) -> int:
    """Return how many pools of memory a process with four threads has (`man malloc_stats`)."""
    environ = {key: value for key, value in os.environ.items() if key != "MALLOC_ARENA_MAX"} | environment
    command = [sys.executable, "-c", IN_THREADS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    return len(re.findall(r"^Arena \d+:", done.stderr, re.MULTILINE))


@pytest.mark.skipif(memory._function("mallopt") is None, reason="needs the C library glibc")
def test_threads_share_two_pools_unless_the_user_has_set_their_number() -> None:
    assert pools() > 3
    assert pools("limited") == 2
    assert pools("limited", MALLOC_ARENA_MAX="3") == 3
