"""Compile a model: `python -m encoders.compiled NAME FINGERPRINT`, as `runtime` calls it."""

import os
import sys
from collections.abc import Callable
from functools import partial
from threading import Thread
from time import sleep

from core.errors import SightlineError
from encoders import registry
from encoders.base import Encoder
from encoders.compiled import openvino_encoder, store
from encoders.compiled.choice import Rates, compare
from encoders.compiled.encoder import CompiledEncoder
from encoders.compiled.failure import NotCompilable
from encoders.compiled.int8 import Int8Encoder
from encoders.compiled.openvino_encoder import OpenVinoEncoder, compare_openvino
from encoders.compiled.runtime import RuntimeEncoder
from encoders.torch_encoder import TorchEncoder


def compile_model(name: str, fingerprint: str) -> None:
    """Compile the model `name` if its space has this fingerprint, and measure it. A failure is recorded."""
    encoder = registry.load(name)
    if encoder.space.fingerprint != fingerprint:
        return
    if isinstance(encoder, Int8Encoder):
        _quantise(encoder)
        return
    encoder = encoder.original if isinstance(encoder, RuntimeEncoder) else encoder
    if isinstance(encoder, TorchEncoder):
        _compile(encoder)


def _compile(encoder: TorchEncoder, *, waits: bool = False) -> None:
    from encoders.compiled.export import export

    compiled = _once(encoder, partial(export, encoder), waits=waits)
    if compiled is None:
        return
    by_onnx = CompiledEncoder(compiled, encoder)
    openvino = None
    if openvino_encoder.is_installed():
        openvino = compare_openvino(by_onnx, OpenVinoEncoder(compiled, encoder))
    Rates(openvino=openvino, torch=compare(by_onnx, encoder, lambda: str(encoder.placed))).keep(compiled.folder)


def _quantise(encoder: Int8Encoder) -> None:
    """Make a tower in 8 bits, after compiling its model if needed. Wait for other processes: nothing can replace it."""
    from encoders.compiled.quantise import quantise

    base = encoder.base
    if store.find_intact(base.space) is None:
        _compile(base.original, waits=True)
    found = store.find_intact(base.space)
    if found is not None:
        _once(encoder, lambda: quantise(encoder, CompiledEncoder(found, base.original)), waits=True)


def _once(
    encoder: Encoder, make: Callable[[], store.CompiledModel], *, waits: bool = False
) -> store.CompiledModel | None:
    """Return what `make` makes; None if it fails, or if another process has made or tried it, or does so now.

    With `waits`, wait until no other process does.
    """
    with store.exporting(encoder.space, waits=waits) as may_export:
        tried = store.find_intact(encoder.space) is not None or store.read_failure(encoder.space) is not None
        if not may_export or tried:
            return None
        try:
            return make()
        except (OSError, MemoryError, SightlineError):
            raise
        except Exception as exc:
            reason = str(exc) if isinstance(exc, NotCompilable) else repr(exc)[:300]
            store.record_failure(encoder.space, reason)
            return None


def _end_with(parent: int) -> None:
    """End this process when the one that started it has ended."""
    while os.getppid() == parent:
        sleep(1)
    os._exit(1)


if __name__ == "__main__":
    Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    try:
        compile_model(*sys.argv[1:])
    except (OSError, MemoryError, SightlineError) as exc:  # PyTorch is used, and the next process tries again
        sys.exit(str(exc))
