"""After every change of a library, an index that follows the change feed is the same as one built from the catalogue.

`Followers.check` compares them for every space, vector by vector. A writer that is not recorded makes it fail.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete, insert, text, update

from core.errors import PathNotIndexed
from encoders.fake import FakeEncoder
from indexer import FillSettings, IndexSettings, Progress, fill, index
from store import Library
from store.catalog.tables import Embedding, FrameEmbedding, Picture, PictureState, UnreadFrames
from store.exchange import ImportSettings, import_vectors, open_vectors
from store.merge.merging import merge
from store.moved_roots import move_roots
from store.recovery.recover import recover
from store.spaces.drop import forget_space
from store.spaces.registry import list_spaces, named_space
from tests.indexer.test_fill import Mirrored
from tests.indexer.test_random_changes import Interrupted, Life, Watching, names
from tests.support.examples import EXAMPLES_FACTOR
from tests.support.followers import Followers
from tests.support.frame_files import write_pages
from tests.support.writers import run_forget, run_repair

Paint = Callable[..., Path]


@pytest.fixture
def folder(library: Library, album: Path, encoder: FakeEncoder) -> Path:
    """The folder of an indexed library with four pictures, a copy of one, and a document of three pages."""
    shutil.copy(album / "red.png", album / "copy.png")
    write_pages(album / "scans/three.tif", "red", "lime", "blue")
    index(library, [album], encoder)
    return album


@pytest.fixture
def followers(library: Library, folder: Path) -> Followers:
    assert folder.exists()
    return Followers(library)


def test_index_runs_are_followed(
    library: Library, folder: Path, followers: Followers, paint: Paint, encoder: FakeEncoder, tmp_path: Path
) -> None:
    def run(*, full: bool = False) -> None:
        index(library, [folder], encoder, IndexSettings(accept_missing=True, full=full))
        followers.check()

    paint(folder / "new.png", "white")
    write_pages(folder / "scans/more.tif", "white", "red")
    run()
    (folder / "blue.png").rename(folder / "moved.png")
    (folder / "copy.png").unlink()
    run()
    for name in ("moved.png", "scans/three.tif"):
        shutil.move(folder / name, tmp_path / Path(name).name)
    run()
    shutil.move(tmp_path / "moved.png", folder / "moved.png")
    shutil.move(tmp_path / "three.tif", folder / "scans/three.tif")
    run()
    paint(folder / "new.png", "black")  # another content
    (folder / "green.png").write_bytes(b"no picture any more")
    run()
    paint(folder / "green.png", "lime")
    run(full=True)
    shutil.rmtree(folder / "scans")
    run()
    (folder / "raw").mkdir()
    shutil.copy(folder / "red.png", folder / "raw/red.png")
    run()


def test_an_index_run_that_ends_at_any_batch_is_followed(
    library: Library, folder: Path, followers: Followers, paint: Paint
) -> None:
    for number in range(7):
        paint(folder / f"{number}.png", (number, 2 * number, 200))
    (folder / "red.png").unlink()
    for _ in range(3):
        with pytest.raises(Interrupted):
            index(library, [folder], Watching(1), IndexSettings(workers=1))
        followers.check()
    index(library, [folder], Watching(None), IndexSettings(workers=1))
    followers.check()


def test_frames_that_are_read_again_are_followed(
    library: Library, folder: Path, followers: Followers, encoder: FakeEncoder
) -> None:
    """As after an upgrade: further frames are added, and a vector of other pixels is replaced."""
    with library.transaction() as connection:
        connection.execute(delete(FrameEmbedding))
        document = connection.execute(text("SELECT min(content_id) FROM frames")).scalar_one()
        other = np.eye(1, 13, dtype="<f2").tobytes()
        connection.execute(update(Embedding).where(Embedding.content_id == document).values(vector=other))
        connection.execute(insert(UnreadFrames).values(space_id=1, content_id=document))
    followers.check()
    assert index(library, [folder], encoder).embedded
    followers.check()


def test_forgetting_is_followed(library: Library, folder: Path, followers: Followers, encoder: FakeEncoder) -> None:
    run_forget(library, folder / "copy.png")  # its content has another file
    followers.check()
    run_forget(library, folder / "scans")
    followers.check()
    (folder / "blue.png").unlink()
    index(library, [folder], encoder)
    run_forget(library, folder, missing_only=True)
    followers.check()
    run_forget(library, folder)
    followers.check()


def test_repair_and_the_run_after_it_are_followed(
    library: Library, folder: Path, followers: Followers, encoder: FakeEncoder
) -> None:
    with library.transaction() as connection:
        connection.execute(update(Embedding).where(Embedding.content_id == 2).values(vector=b"\0" * 26))
        connection.execute(update(FrameEmbedding).where(FrameEmbedding.number == 1).values(vector=b"\1" * 26))
    followers.check()
    assert "malformed" in run_repair(library)[0]
    followers.check()
    assert index(library, [folder], encoder).embedded
    followers.check()


def test_other_models_are_followed(library: Library, folder: Path, followers: Followers, encoder: FakeEncoder) -> None:
    fill(library, Mirrored(), FillSettings(switch=False))
    followers.check()
    (folder / "red.png").unlink()
    index(library, [folder], encoder)
    followers.check()
    fill(library, Mirrored())
    followers.check()
    index(library, [folder], Mirrored())
    followers.check()
    forget_space(library, named_space(library, "fake"))
    followers.check()


def test_a_fill_that_is_stopped_is_followed(library: Library, followers: Followers) -> None:
    def stop(batches: list[int]) -> None:
        batches.append(1)
        if len(batches) > 1:
            raise Interrupted

    with pytest.raises(Interrupted):
        fill(library, Mirrored(partial(stop, [])), FillSettings(workers=1))
    assert len(list_spaces(library)) == 2
    followers.check()
    fill(library, Mirrored())
    followers.check()


def test_imports_are_followed(library: Library, folder: Path, followers: Followers, tmp_path: Path) -> None:
    """Of documents and of indexed files; again in place of the first; and the end of the imported space."""
    np.save(tmp_path / "vectors.npy", np.eye(3, 5, dtype=np.float32))
    listed = tmp_path / "names.txt"
    for names_of_run in ((b"one", b"two", b"three"), (b"two", os.fsencode(folder / "red.png"), b"four")):
        listed.write_bytes(b"\n".join(names_of_run))
        source = open_vectors(tmp_path / "vectors.npy", listed, as_paths=False)
        import_vectors(library, source, "elsewhere", ImportSettings(replace=True))
        followers.check()
    forget_space(library, named_space(library, "elsewhere"))
    followers.check()


def test_a_moved_root_is_followed(library: Library, folder: Path, followers: Followers, encoder: FakeEncoder) -> None:
    moved = folder.rename(folder.with_name("moved album"))
    move_roots(library, folder, moved)
    followers.check()
    index(library, [moved], encoder)
    followers.check()


def test_roots_that_become_one_are_followed(
    library: Library, folder: Path, followers: Followers, encoder: FakeEncoder, paint: Paint
) -> None:
    paint(folder.with_name("beside") / "white.png", "white")
    index(library, [folder.with_name("beside")], encoder)
    followers.check()
    index(library, [folder.parent], encoder)
    followers.check()


def test_a_copy_of_a_file_that_failed_is_followed(
    library: Library, folder: Path, followers: Followers, encoder: FakeEncoder, tmp_path: Path
) -> None:
    """A file that cannot be read for now keeps its content and vector: a picture is added, and no vector."""
    with library.transaction() as connection:
        connection.execute(update(Picture).where(Picture.relpath == b"blue.png").values(state=PictureState.FAILED))
    followers.check()
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(folder / "blue.png", tmp_path / "elsewhere/copy.png")
    summary = index(library, [tmp_path / "elsewhere"], encoder)
    assert (summary.new, summary.embedded) == (1, 0)
    followers.check()


@pytest.mark.usefixtures("folder")
def test_a_merged_library_is_followed(
    library: Library, followers: Followers, tmp_path: Path, paint: Paint, encoder: FakeEncoder
) -> None:
    paint(tmp_path / "theirs/white.png", "white")
    write_pages(tmp_path / "theirs/two.tif", "white", "red")
    with Library.open(tmp_path / "other", create=True) as other:
        index(other, [tmp_path / "theirs"], encoder)
        merge(library, other)
    followers.check()


@pytest.mark.sqlite("damages its file")
@pytest.mark.usefixtures("folder")
def test_a_recovered_library_starts_a_new_feed(library: Library, tmp_path: Path) -> None:
    """Its index files are of unknown changes: none is updated with a feed that begins again."""
    library.close()
    damaged = tmp_path / "damaged"
    shutil.copytree(library.path, damaged)
    with sqlite3.connect(damaged / "catalog.sqlite") as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_contents_camera'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with (damaged / "catalog.sqlite").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert recover(damaged) is not None
    with Library.open(damaged) as recovered:
        with recovered.read() as connection_there:
            positions = connection_there.execute(text("SELECT position FROM index_generations")).scalars().all()
        assert set(positions) <= {None}
        Followers(recovered).check()


class Followed(Life):
    """Also forgets, repairs, fills another space, imports, and drops, with a follower of each space."""

    @initialize()
    def follow(self) -> None:
        self.followers = Followers(self.library)

    @rule(name=names)
    def forget(self, name: bytes) -> None:
        with suppress(PathNotIndexed):
            run_forget(self.library, self.path(name))

    @rule()
    def forget_missing(self) -> None:
        with suppress(PathNotIndexed):
            run_forget(self.library, self.folder, missing_only=True)

    @rule()
    def repair(self) -> None:
        run_repair(self.library)

    @precondition(lambda self: bool(list_spaces(self.library)))
    @rule(batches=st.integers(0, 3))
    def fill_another_space(self, batches: int) -> None:
        """Ends after some batches, unless there are fewer."""
        left = [batches]

        def count() -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Interrupted

        with suppress(Interrupted):
            fill(self.library, Mirrored(count), FillSettings(workers=1, switch=False), Progress())

    @precondition(lambda self: len(list_spaces(self.library)) > 1)
    @rule()
    def drop_another_space(self) -> None:
        forget_space(self.library, list_spaces(self.library)[-1].stored)

    @precondition(lambda self: bool(list_spaces(self.library)))
    @rule(name=names)
    def import_a_space(self, name: bytes) -> None:
        np.save(self.home / "vectors.npy", np.eye(2, 5, dtype=np.float32))
        (self.home / "names.txt").write_bytes(b"document\n" + os.fsencode(self.path(name)))
        source = open_vectors(self.home / "vectors.npy", self.home / "names.txt", as_paths=False)
        import_vectors(self.library, source, "elsewhere", ImportSettings(replace=True))

    @invariant()
    def the_feed_leads_to_the_same_index(self) -> None:
        if hasattr(self, "followers"):
            self.followers.check()


@pytest.mark.slow
def test_any_sequence_of_changes_and_interruptions_is_followed(empty_library: Path) -> None:
    class Here(Followed):
        template = empty_library

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=4 * EXAMPLES_FACTOR,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            phases=[Phase.generate],
        ),
    )
