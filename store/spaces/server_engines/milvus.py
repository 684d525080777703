"""The engine Milvus: a collection with an HNSW index, in a server, a cluster or a file of Milvus Lite.

    sightline_spaces               a row for each space: its state
    sightline_NAME_TOKEN           the vectors of a space: frame ID, content ID, vector in 32 bits

Each space has a collection of its own, not a partition: the dimension belongs to the collection, each has its own
index, and all of it is deleted at once.

Searches are read with eventual consistency. Others wait until the server has applied everything (200 ms). A search may
therefore see vectors that are not in the catalogue any more, which are dropped. The state is stored when the vectors
before it can be read. Milvus has no transactions: a change that was interrupted leaves the state as it was, so that it
is made again. The lock of the catalogue keeps machines from changing a collection at the same time.
"""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import ExtraMissing, IndexEngineUnavailable
from store.catalog.frame_ids import content_of
from store.catalog.id_sets import Ids
from store.spaces.server_engines.address import EngineAddress
from store.spaces.server_engines.engine import EngineState, EngineTarget, Parts, VectorEngine
from store.spaces.server_engines.feed_marks import FeedMark

if TYPE_CHECKING:
    from pymilvus import MilvusClient

__all__ = ["MilvusEngine"]

PREFIX = "sightline_"
STATES = f"{PREFIX}spaces"
BATCH_NUMBERS = 1 << 20
"""Numbers that are sent at a time, 4 MB. A server accepts messages of 64 MB."""
MAX_BATCH = 4_096
SEARCH_SECONDS = 10.0
CHANGE_SECONDS = 600.0
"""Milvus waits within a call, for example until a collection has been loaded."""
VISIBLE_SECONDS = 10.0
"""So long at most is waited until a state that was stored is read without consistency."""
VISIBLE_POLL_SECONDS = 0.02
HNSW = {"M": 16, "efConstruction": 128}


class MilvusEngine(VectorEngine):
    """The vectors of a space in the Milvus at `address`."""

    efforts = (100, 200, 400, 800)

    def __init__(self, address: EngineAddress, target: EngineTarget) -> None:
        self.shown = address.shown
        self.storage_prefix = f"{PREFIX}{target.name}_"
        self._address, self._target = address, target
        self._connecting = Lock()
        self._client: MilvusClient | None = None
        self._loaded: set[str] = set()

    def state(self, *, fresh: bool = False) -> EngineState | None:
        """Return what the collection has."""
        with self._connected() as client:
            if not client.has_collection(STATES, timeout=SEARCH_SECONDS):
                return None
            self._load(client, STATES)
            return self._read_state(client, "Strong" if fresh else "Eventually")

    def propose(self, state: EngineState, queries: NDArray[np.float32], number: int) -> list[Ids]:
        """Return the nearest neighbours by the HNSW index."""
        with self._connected() as client:
            self._load(client, state.storage)
            found = client.search(
                state.storage,
                data=list(np.ascontiguousarray(queries, np.float32)),
                limit=number,
                output_fields=["id"],
                search_params={"metric_type": "IP", "params": {"ef": number}},
                consistency_level="Eventually",
                timeout=SEARCH_SECONDS,
            )
        return [np.array([hit["id"] for hit in hits], np.int64) for hits in found]

    def build(self, parts: Parts, position: int, mark: FeedMark | None = None) -> EngineState:
        """Fill a new collection, and make it the one of the space."""
        storage = f"{self.storage_prefix}{secrets.token_hex(4)}"
        new = EngineState(storage, position, 0, self.efforts[0], mark=mark)
        before = self.state(fresh=True)
        with self._connected() as client:
            self._drop_collections(client, before)
            self._create_states(client)
            self._create(client, new.storage)
            self._insert(client, new.storage, parts)
            client.flush(new.storage, timeout=CHANGE_SECONDS)
            new = replace(new, vectors=self._count(client, new.storage))
            self._save_in(client, new)
        return new

    def replace(
        self, state: EngineState, contents: Ids, parts: Parts, position: int, mark: FeedMark | None = None
    ) -> EngineState:
        """Change the collection, and then the state."""
        present = self.state(fresh=True)
        if present is None or (present.storage, present.position) != (state.storage, state.position):
            return present or state
        with self._connected() as client:
            self._drop_collections(client, present)  # one that was replaced, or that a stopped build has left
            self._load(client, state.storage)
            for start in range(0, len(contents), MAX_BATCH):
                self._remove(client, state.storage, contents[start : start + MAX_BATCH])
            self._insert(client, state.storage, parts)
            new = replace(present, position=position, vectors=self._count(client, state.storage), mark=mark)
            self._save_in(client, new)
        return new

    def save(self, state: EngineState) -> None:
        """Store a state of the same collection and position."""
        present = self.state(fresh=True)
        if present is not None and (present.storage, present.position) == (state.storage, state.position):
            with self._connected() as client:
                self._save_in(client, state)

    def stored_vectors(self, state: EngineState) -> Iterator[tuple[Ids, NDArray[np.floating]]]:
        """Yield the rows of the collection."""
        with self._connected() as client:
            self._load(client, state.storage)
            rows = client.query_iterator(
                state.storage,
                batch_size=max(1, min(MAX_BATCH, BATCH_NUMBERS // self._target.dim)),
                output_fields=["id", "vector"],
                consistency_level="Strong",
                timeout=CHANGE_SECONDS,
            )
            try:
                while batch := rows.next():
                    ids = np.array([row["id"] for row in batch], np.int64)
                    yield ids, np.array([row["vector"] for row in batch], np.float32)
            finally:
                rows.close()

    def names(self) -> set[str]:
        """Return the names in those of collections."""
        with self._connected() as client:
            collections = client.list_collections(timeout=SEARCH_SECONDS)
        parts = (name.removeprefix(PREFIX).split("_") for name in collections if name.startswith(PREFIX))
        return {found[0] for found in parts if len(found) == 2}

    def drop(self) -> None:
        """Delete the collections of the space, and its state."""
        with self._connected() as client:
            self._drop_collections(client, None)
            if client.has_collection(STATES, timeout=SEARCH_SECONDS):
                client.delete(STATES, ids=[self._target.name], timeout=CHANGE_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        with self._connecting:
            client, self._client = self._client, None
            self._loaded.clear()
        if client is not None:
            client.close()

    def _create_states(self, client: "MilvusClient") -> None:
        from pymilvus import DataType

        if client.has_collection(STATES, timeout=SEARCH_SECONDS):
            self._load(client, STATES)
            return
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("name", DataType.VARCHAR, is_primary=True, max_length=64)
        schema.add_field("state", DataType.VARCHAR, max_length=4_096)
        schema.add_field("unused", DataType.FLOAT_VECTOR, dim=2)  # a collection must have a vector
        index = client.prepare_index_params()
        index.add_index("unused", index_type="FLAT", metric_type="L2")
        client.create_collection(STATES, schema=schema, index_params=index, timeout=CHANGE_SECONDS)

    def _create(self, client: "MilvusClient", name: str) -> None:
        from pymilvus import DataType

        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("content", DataType.INT64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._target.dim)
        index = client.prepare_index_params()
        index.add_index("vector", index_type="HNSW", metric_type="IP", params=HNSW)
        client.create_collection(name, schema=schema, index_params=index, timeout=CHANGE_SECONDS)

    def _insert(self, client: "MilvusClient", name: str, parts: Parts) -> None:
        """Add vectors to a collection, also those that an interrupted change has added."""
        size = max(1, min(MAX_BATCH, BATCH_NUMBERS // self._target.dim))
        for ids, vectors in parts:
            contents, numbers = content_of(ids), np.ascontiguousarray(vectors, np.float32)
            for start in range(0, len(ids), size):
                rows = zip(
                    ids[start : start + size].tolist(),
                    contents[start : start + size].tolist(),
                    numbers[start : start + size],
                    strict=True,
                )
                data = [{"id": frame, "content": content, "vector": vector} for frame, content, vector in rows]
                client.upsert(name, data, timeout=CHANGE_SECONDS)

    def _remove(self, client: "MilvusClient", name: str, contents: Ids) -> None:
        """Remove the vectors of contents (n,)."""
        rows = client.query(
            name,
            filter=f"content in {contents.tolist()}",
            output_fields=["id"],
            consistency_level="Strong",
            timeout=CHANGE_SECONDS,
        )
        ids = [row["id"] for row in rows]
        if ids:
            client.delete(name, ids=ids, timeout=CHANGE_SECONDS)

    def _count(self, client: "MilvusClient", name: str) -> int:
        """Return the number of vectors when everything that was written can be read, which it waits for.

        They are counted by the server, because a change that was interrupted may have removed some before.
        """
        (row,) = client.query(
            name, filter="", output_fields=["count(*)"], consistency_level="Strong", timeout=CHANGE_SECONDS
        )
        return int(row["count(*)"])

    def _read_state(self, client: "MilvusClient", consistency: str) -> EngineState | None:
        rows = client.query(
            STATES,
            filter=f'name == "{self._target.name}"',
            output_fields=["state"],
            consistency_level=consistency,
            timeout=SEARCH_SECONDS,
        )
        return EngineState.from_engine(rows[0]["state"]) if rows else None

    def _save_in(self, client: "MilvusClient", state: EngineState) -> None:
        """Store the state, and wait until searchers read it, who are told of a new revision after that."""
        row = {"name": self._target.name, "state": state.to_json(), "unused": [0.0, 0.0]}
        client.upsert(STATES, [row], timeout=CHANGE_SECONDS)
        deadline = monotonic() + VISIBLE_SECONDS
        while self._read_state(client, "Eventually") != state and monotonic() < deadline:
            sleep(VISIBLE_POLL_SECONDS)

    def _drop_collections(self, client: "MilvusClient", kept: EngineState | None) -> None:
        """Drop the collections of this space except that of `kept`, which others may be searching."""
        for name in client.list_collections(timeout=SEARCH_SECONDS):
            if name.startswith(self.storage_prefix) and (kept is None or name != kept.storage):
                client.drop_collection(name, timeout=CHANGE_SECONDS)
                self._loaded.discard(name)

    def _load(self, client: "MilvusClient", name: str) -> None:
        """Have the server load a collection, which it forgets when it is restarted."""
        if name not in self._loaded:
            client.load_collection(name, timeout=CHANGE_SECONDS)
            self._loaded.add(name)

    @contextmanager
    def _connected(self) -> Iterator["MilvusClient"]:
        """Lend the connection, and translate errors of the server. It is closed after an error."""
        try:
            from grpc import RpcError
            from pymilvus.exceptions import MilvusException
        except ImportError as exc:
            raise ExtraMissing("Milvus", "milvus") from exc
        try:
            yield self._connection()
        except (MilvusException, RpcError, OSError) as exc:
            with suppress(MilvusException, RpcError, OSError):
                self.close()
            reason = getattr(exc, "message", None) or str(exc) or type(exc).__name__
            raise IndexEngineUnavailable(self.shown, self._address.redacted(str(reason))) from exc

    def _connection(self) -> "MilvusClient":
        from pymilvus import MilvusClient

        for name in ("pymilvus", "milvus_lite", "grpc._server"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what goes wrong is raised, too
        with self._connecting:
            if self._client is None:
                self._client = MilvusClient(self._address.location, timeout=SEARCH_SECONDS)
            return self._client
