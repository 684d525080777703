"""A library in clusters, and the engines that the same tests run with."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete, insert, select, update

from core.frames import FIRST_FRAME
from store import Library
from store.catalog.frame_ids import content_of, frame_id
from store.catalog.id_sets import Ids
from store.catalog.tables import Content, Embedding, FrameEmbedding, FrameRow, Picture, PictureState
from store.library import mark_changed
from store.spaces.approximation import update_approximation
from store.spaces.current_index import CurrentIndex
from store.spaces.registry import StoredSpace
from store.spaces.server_engines.connections import EngineConnections
from store.spaces.server_engines.engine import EngineState, VectorEngine
from store.spaces.server_engines.opening import chosen_address, open_engine
from store.spaces.server_engines.server_index import ServerIndex
from tests.support.writers import publish

__all__ = [
    "SERVERS",
    "Clusters",
    "N",
    "Setup",
    "only_pgvector",
    "only_pgvector_with_file",
    "only_servers",
    "save",
    "server_index_of",
    "state_of",
]

N = 400
SERVERS = ["pgvector", "pgvector-without-file", "milvus", "milvus-without-file"]

only_servers = pytest.mark.parametrize("setup", SERVERS, indirect=True)
only_pgvector = pytest.mark.parametrize("setup", ["pgvector", "pgvector-without-file"], indirect=True)
only_pgvector_with_file = pytest.mark.parametrize("setup", ["pgvector"], indirect=True)


@dataclass
class Clusters:
    """Inserts, removes and replaces pictures of a library, and ranks them by brute force."""

    library: Library
    stored: StoredSpace
    root_id: int
    last: int = 0

    def add(self, number: int, frames: int = 1) -> list[int]:
        """Insert pictures with vectors in 20 clusters, each with so many frames; return their content IDs."""
        names = range(self.last, self.last + number)
        self.last += number
        contents = [
            {"digest": name.to_bytes(32), "size": 1, "format": "PNG", "width": 8, "height": 8} for name in names
        ]
        with self.library.transaction() as connection:
            inserted = insert(Content).returning(Content.id, sort_by_parameter_order=True)
            ids = list(connection.execute(inserted, contents).scalars())
            pairs = list(zip(names, ids, strict=True))
            files = [
                {
                    "root_id": self.root_id,
                    "relpath": b"%06d.png" % name,
                    "size": 1,
                    "mtime_ns": 1,
                    "content_id": content_id,
                }
                for name, content_id in pairs
            ]
            connection.execute(insert(Picture), [{**file, "state": PictureState.PRESENT} for file in files])
            vectors = [
                {"content_id": content_id, "number": number, "vector": self.stored.to_bytes(self.vector(name, number))}
                for name, content_id in pairs
                for number in range(frames)
            ]
            firsts = [{**row, "space_id": self.stored.id} for row in vectors if row["number"] == FIRST_FRAME]
            connection.execute(insert(Embedding), [{k: v for k, v in row.items() if k != "number"} for row in firsts])
            if frames > 1:
                described = [{"content_id": row["content_id"], "number": row["number"]} for row in vectors]
                connection.execute(insert(FrameRow), [{**row, "kind": "page"} for row in described])
                further = [{**row, "space_id": self.stored.id} for row in vectors if row["number"] != FIRST_FRAME]
                connection.execute(insert(FrameEmbedding), further)
            mark_changed(connection)
        return ids

    def vector(self, name: int, frame: int = 0, version: int = 0) -> NDArray[np.float32]:
        centre = np.random.default_rng(name % 20).normal(size=self.stored.space.dim)
        raw = centre + 0.4 * np.random.default_rng([name, frame, version]).normal(size=self.stored.space.dim)
        return np.asarray(raw / np.linalg.norm(raw), np.float32)

    def lose(self, ids: list[int]) -> None:
        """Mark the pictures of contents as missing."""
        with self.library.transaction() as connection:
            connection.execute(update(Picture).where(Picture.content_id.in_(ids)).values(state=PictureState.MISSING))
            mark_changed(connection)

    def replace(self, ids: list[int]) -> None:
        """Give the first frames of contents other vectors."""
        with self.library.transaction() as connection:
            for content_id in ids:
                connection.execute(delete(Embedding).where(Embedding.content_id == content_id))
                vector = self.stored.to_bytes(self.vector(content_id, version=1))
                row = {"space_id": self.stored.id, "content_id": content_id, "vector": vector}
                connection.execute(insert(Embedding).values(row))
            mark_changed(connection)

    def everything(self) -> dict[int, NDArray[np.float32]]:
        """The vector of each frame that can be found, read from the tables."""
        with self.library.read() as connection:
            present = set(
                connection.execute(select(Picture.content_id).where(Picture.state == PictureState.PRESENT)).scalars()
            )
            found = {
                row.content_id: np.frombuffer(row.vector, self.stored.storage).astype(np.float32)
                for row in connection.execute(Embedding.__table__.select())
            }
            found |= {
                frame_id(row.content_id, row.number): np.frombuffer(row.vector, self.stored.storage).astype(np.float32)
                for row in connection.execute(FrameEmbedding.__table__.select())
            }
        return {frame: vector for frame, vector in found.items() if content_of(frame) in present}

    def best(self, query: NDArray[np.float32], k: int, among: Ids | None = None) -> list[tuple[int, float]]:
        """The best frames and their scores by brute force."""
        allowed = None if among is None else set(among.tolist())
        scores = {
            frame: float(np.dot(vector, query))
            for frame, vector in self.everything().items()
            if allowed is None or frame in allowed
        }
        return sorted(scores.items(), key=lambda pair: -pair[1])[:k]

    def query(self, seed: int) -> NDArray[np.float32]:
        return self.vector(1_000_000 + seed)


@dataclass
class Setup:
    """A kind of engine, and how it is brought up to date."""

    name: str
    library: Library
    stored: StoredSpace
    connections: EngineConnections

    @property
    def is_server(self) -> bool:
        return self.name in SERVERS

    @property
    def has_file(self) -> bool:
        return not self.name.endswith("without-file")

    def update(self) -> None:
        """What an index run does at its end."""
        if self.has_file:
            publish(self.library, self.stored)
        update_approximation(self.library, self.stored)

    def load(self, before: CurrentIndex | None = None) -> CurrentIndex:
        """What a searcher does."""
        return self.connections.load(self.stored, before)

    def engine(self) -> VectorEngine:
        address = chosen_address()
        assert address is not None
        return open_engine(self.library, self.stored, address)


def server_index_of(setup: Setup) -> ServerIndex:
    """The index that a searcher loads, which asks the engine."""
    index = setup.load().index
    assert isinstance(index, ServerIndex)
    return index


def state_of(setup: Setup) -> EngineState:
    """What the engine has now."""
    engine = setup.engine()
    try:
        state = engine.state(fresh=True)
        assert state is not None
        return state
    finally:
        engine.close()


def save(setup: Setup, state: EngineState) -> None:
    """Store a state in the engine."""
    engine = setup.engine()
    try:
        engine.save(state)
    finally:
        engine.close()
