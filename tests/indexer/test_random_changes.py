"""A stateful test: catalogue and index match the disk after any sequence of changes, interruptions and runs."""

import os
import shutil
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import select

from core.errors import RootUnavailable
from encoders.fake import FakeEncoder
from indexer import IndexSettings, Progress, Summary, index
from store import Library
from store.catalog.tables import Content, Embedding, Picture, PictureState, Root, RootKind
from store.check import verify
from store.spaces import index_cache
from store.spaces.registry import active_space
from tests.support.examples import EXAMPLES_FACTOR

NAMES = [b"a.png", b"B.png", b"sub/c.png", b"sub/deep/d.png", b"sub-2/e.png", b"caf\xe9.png"]
COLOURS = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (90, 90, 90)]
BROKEN = b"\x89PNG\r\n\x1a\n and then nothing"

Colour = tuple[int, int, int]
names = st.sampled_from(NAMES)
colours = st.sampled_from(COLOURS)


class Interrupted(Exception):
    """Ends the run as Ctrl-C does."""


class Watching(FakeEncoder):
    """Records the colour of every picture it embeds, and can fail after some batches of two."""

    def __init__(self, batches: int | None) -> None:
        super().__init__(batch_size=2)
        self.seen: list[Colour] = []
        self.batches = batches

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.batches is not None and self.batches <= 0:
            raise Interrupted
        if self.batches is not None:
            self.batches -= 1
        for picture in pixels:
            red, green, blue = (round(float(value) * 255) for value in picture[:, 0, 0])
            self.seen.append((red, green, blue))
        return super().forward_images(pixels)


class Leaving(Progress):
    """Ends the run after some batches have been written, or just before the index file is written."""

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def advance(self, files: int) -> None:  # noqa: ARG002
        self.batches -= 1
        if self.batches == 0:
            raise Interrupted

    def publish(self) -> None:
        raise Interrupted


class Life(RuleBasedStateMachine):
    """A folder of pictures with all possible changes, and its library."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(mkdtemp(prefix="sightline-life-"))
        self.folder = self.home / "pictures"
        self.folder.mkdir()
        shutil.copytree(self.template, self.home / "library")
        self.library = Library.open(self.home / "library")
        self.away: dict[bytes, tuple[bytes, int]] = {}
        self.clock = 1_000

    def teardown(self) -> None:
        self.library.close()
        shutil.rmtree(self.home)

    def path(self, name: bytes) -> Path:
        return self.folder / os.fsdecode(name)

    def write(self, name: bytes, data: bytes, mtime: int | None = None) -> None:
        """Give every written file a new modification time, unless it is restored."""
        self.clock += 1
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(mtime or self.clock, mtime or self.clock))

    @initialize(name=names, colour=colours)
    def begin(self, name: bytes, colour: Colour) -> None:
        self.add(name, colour)

    @rule(name=names, colour=colours)
    def add(self, name: bytes, colour: Colour) -> None:
        """Write a new picture, or replace an old one."""
        draft = self.home / "draft.png"
        Image.new("RGB", (8, 8), colour).save(draft)
        self.write(name, draft.read_bytes())

    @rule(name=names)
    def corrupt(self, name: bytes) -> None:
        self.write(name, BROKEN)

    @rule(name=names)
    def touch(self, name: bytes) -> None:
        if self.path(name).exists():
            self.write(name, self.path(name).read_bytes())

    @rule(source=names, goal=names)
    def copy(self, source: bytes, goal: bytes) -> None:
        if self.path(source).exists():
            self.write(goal, self.path(source).read_bytes())

    @rule(source=names, goal=names)
    def replace_within_size_and_time(self, source: bytes, goal: bytes) -> None:
        """Replace a file as `exiftool -P` does: only its change time tells."""
        ends = (self.path(source), self.path(goal))
        if all(path.exists() for path in ends) and len({path.stat().st_size for path in ends}) == 1:
            self.write(goal, self.path(source).read_bytes(), self.path(goal).stat().st_mtime_ns)

    @rule(source=names, goal=names)
    def move(self, source: bytes, goal: bytes) -> None:
        if self.path(source).exists():
            self.path(goal).parent.mkdir(parents=True, exist_ok=True)
            self.path(source).rename(self.path(goal))

    @rule(name=names)
    def take_away(self, name: bytes) -> None:
        if self.path(name).exists():
            self.away[name] = (self.path(name).read_bytes(), self.path(name).stat().st_mtime_ns)
            self.path(name).unlink()

    @rule()
    def take_all_away(self) -> None:
        for name in NAMES:
            self.take_away(name)

    @precondition(lambda self: self.away)
    @rule()
    def bring_back(self) -> None:
        for name, (data, mtime) in self.away.items():
            self.write(name, data, mtime)
        self.away.clear()

    @rule(batches=st.integers(0, 2))
    def index_and_fail_in_the_model(self, batches: int) -> None:
        self.run(Watching(batches))

    @rule(batches=st.integers(1, 3))
    def index_and_stop(self, batches: int) -> None:
        self.run(Watching(None), Leaving(batches))

    @rule(full=st.booleans())
    def index_to_the_end(self, full: bool) -> None:
        summary = self.run(Watching(None), full=full)
        assert summary is not None
        self.check()
        again = self.run(Watching(None))
        assert again is not None
        assert (again.unchanged, again.failed, again.seen) == (len(self.good()), len(self.broken()), again.seen)
        assert again.embedded == again.new == again.changed == again.moved == again.restored == again.missing == 0

    @rule()
    def index_part_of_it(self) -> None:
        (self.folder / "sub").mkdir(exist_ok=True)
        self.run(Watching(None), beneath="sub")

    @rule()
    def index_without_believing_that_all_is_gone(self) -> None:
        before = self.held()
        emptied = bool(before) and not self.good() and not self.broken()
        try:
            index(self.library, [self.folder], FakeEncoder())
        except RootUnavailable:
            assert emptied
            assert self.held() == before
        else:
            assert not emptied

    @rule()
    def lose_the_index_file(self) -> None:
        for path in (self.library.path / "indexes").iterdir():
            path.unlink()

    def run(
        self, encoder: Watching, progress: Progress | None = None, *, full: bool = False, beneath: str = ""
    ) -> Summary | None:
        """Run the index, possibly interrupted. Contents that have a vector are never embedded again."""
        with self.library.read() as connection:
            known = set(
                connection.execute(select(Content.digest).join(Embedding, Embedding.content_id == Content.id)).scalars()
            )
        settings = IndexSettings(workers=1, full=full, accept_missing=True)
        try:
            return index(self.library, [self.folder / beneath], encoder, settings, progress)
        except Interrupted:
            return None
        finally:
            draft = self.home / "draft.png"
            for colour in encoder.seen:
                Image.new("RGB", (8, 8), colour).save(draft)
                assert sha256(draft.read_bytes()).digest() not in known

    def files(self) -> dict[bytes, bytes]:
        return {name: self.path(name).read_bytes() for name in NAMES if self.path(name).exists()}

    def good(self) -> dict[bytes, bytes]:
        return {name: sha256(data).digest() for name, data in self.files().items() if data != BROKEN}

    def broken(self) -> set[bytes]:
        return {name for name, data in self.files().items() if data == BROKEN}

    def held(self, state: PictureState = PictureState.PRESENT) -> dict[bytes, bytes]:
        statement = (
            select(Picture.relpath, Content.digest)
            .join(Root, Root.id == Picture.root_id)
            .outerjoin(Content, Content.id == Picture.content_id)
            .where(Picture.state == state, Root.kind == RootKind.FOLDER)  # documents of an import are in no folder
        )
        with self.library.read() as connection:
            return {row.relpath: row.digest for row in connection.execute(statement)}

    @invariant()
    def every_present_picture_has_its_vector(self) -> None:
        """Pictures and vectors are always consistent, because they are written in one transaction."""
        with self.library.read() as connection:
            bare = connection.execute(
                select(Picture.id)
                .outerjoin(Embedding, Embedding.content_id == Picture.content_id)
                .where(Picture.state == PictureState.PRESENT, Embedding.content_id.is_(None))
            ).all()
        assert bare == []
        assert [fault for fault in verify(self.library) if fault.kind != "index"] == []

    def check(self) -> None:
        """After a complete run, the catalogue matches the disk and the index matches the catalogue."""
        assert self.held() == self.good()
        assert set(self.held(PictureState.FAILED)) == self.broken()
        assert verify(self.library) == []
        stored = active_space(self.library)
        assert stored is not None
        current = index_cache.load(self.library, stored)
        assert current.published
        with self.library.read() as connection:
            digests = {row.id: row.digest for row in connection.execute(select(Content.id, Content.digest))}
        found = {
            digests[int(content_id)]: vector
            for content_id, vector in zip(current.index.ids(), current.index.vectors(), strict=True)
        }
        expected_vectors: dict[bytes, NDArray[np.float32]] = {}
        for name, digest in self.good().items():
            with Image.open(self.path(name)) as picture:
                expected_vectors[digest] = FakeEncoder().encode_images([picture])[0].astype("<f2").astype(np.float32)
        assert set(found) == set(expected_vectors)
        for digest, vector in expected_vectors.items():
            np.testing.assert_array_equal(found[digest], vector)
        query = FakeEncoder().encode_texts(["red"])
        scores, ids = current.index.search(query, len(NAMES))
        brute = sorted((float(vector @ query[0]) for vector in expected_vectors.values()), reverse=True)
        np.testing.assert_allclose(scores[0], np.minimum(brute, 1), atol=1e-6)
        assert len(set(ids[0].tolist())) == len(expected_vectors)


@pytest.fixture
def life(empty_library: Path) -> type[Life]:
    class Here(Life):
        template = empty_library

    return Here


def test_random_changes_and_interruptions_leave_a_correct_library(life: type[Life]) -> None:
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=6 * EXAMPLES_FACTOR,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            phases=[Phase.generate],  # shrinking takes minutes; add Phase.shrink to examine a failure
        ),
    )
