"""The process of a cluster that has the model: it turns what was read into outcomes with vectors."""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TypeAlias

from core.errors import SightlineError
from core.processors import available_cores
from core.space import Space
from core.version import __version__
from encoders.base import Encoder
from encoders.placement import Placement
from encoders.torch_encoder import TorchEncoder
from indexer.batching import embed
from indexer.reader import Reading
from pictures.batch_reading import FramePixels
from store.ingest.batch_writer import FileOutcome

__all__ = ["EncoderFacts", "EncoderProcess", "LoadEncoder"]

LoadEncoder: TypeAlias = Callable[[Space, Placement], Encoder]
"""Returns the encoder of a space, such as `encoders.registry.load_for_space`."""


@dataclass(frozen=True)
class EncoderFacts:
    """What a process says about itself. `refusal` says why it cannot be used, if it cannot.

    `precision` is the number format in which the model computes, if that depends on the machine.
    """

    machine: str
    version: str
    batch_size: int = 1
    batches_in_flight: int = 1
    precision: str | None = None
    refusal: str | None = None


class EncoderProcess:
    """A model in a process of its own. Creating it loads nothing. `variables` are set in the environment."""

    def __init__(self, load: LoadEncoder, space: Space, placement: Placement, variables: Mapping[str, str]) -> None:
        self._load = load
        self._space = space
        self._placement = placement
        self._encoder: Encoder | None = None
        self._loading = Lock()  # a GPU takes two batches at once
        # Ray allows one thread to a process that reserves no core. Libraries read this when they are imported.
        os.environ |= {**variables, "OMP_NUM_THREADS": str(available_cores())}

    def facts(self) -> EncoderFacts:
        """Load the model, and return whether it is the one of the run, with what a run has to know about it."""
        facts = EncoderFacts(socket.gethostname(), __version__)
        try:
            encoder = self._loaded()
            if encoder.space.fingerprint != self._space.fingerprint:
                return replace(facts, refusal=f"its model is {encoder.space} instead of {self._space}")
            precision = str(encoder.placed.dtype).removeprefix("torch.") if isinstance(encoder, TorchEncoder) else None
            size, in_flight = encoder.batch_size, encoder.batches_in_flight
        except SightlineError as error:  # most of them cannot be sent to another process
            return replace(facts, refusal=str(error))
        return replace(facts, batch_size=size, batches_in_flight=in_flight, precision=precision)

    def embed(self, readings: Sequence[Reading], *pixels: FramePixels) -> list[FileOutcome]:
        """Return the outcomes of files, in the order of `indexer.batching.embed`; `pixels` are those of each file."""
        batch = [replace(reading, pixels=frames) for reading, frames in zip(readings, pixels, strict=True)]
        return embed(self._loaded(), batch)

    def _loaded(self) -> Encoder:
        with self._loading:
            if self._encoder is None:
                self._encoder = self._load(self._space, self._placement)
            return self._encoder
