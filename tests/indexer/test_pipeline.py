"""The whole way in, on real files and with a model whose vectors are known."""

import errno
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select, update

import indexer.pipeline
from encoders.fake import FakeEncoder
from indexer import IndexSettings, Progress, Summary, index
from indexer.scan import ScanSettings
from pictures.decode import DecodeSettings
from search import Searcher
from sightline.errors import FolderPassedOver, NoSuchFolder, RootUnavailable, SpaceMismatch
from store import Library
from store.catalog import Embedding, Picture, Root, State
from store.check import repair, verify
from store.lookup import counts, failures
from store.roots import list_roots
from store.spaces import activate, register

Paint = Callable[..., Path]


class Counting(FakeEncoder):
    """Counts the pictures it embeds; two at a time, so that runs have several batches."""

    def __init__(self) -> None:
        super().__init__(batch_size=2)
        self.embedded = 0

    def _forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        self.embedded += len(pixels)
        return super()._forward_images(pixels)


@pytest.fixture
def counting() -> Counting:
    return Counting()


def numbers(summary: Summary) -> dict[str, int]:
    """What is not zero."""
    names = ("new", "unchanged", "changed", "moved", "restored", "missing", "failed", "duplicates", "embedded")
    return {name: getattr(summary, name) for name in names if getattr(summary, name)}


def vectors(library: Library) -> dict[str, NDArray[np.float32]]:
    """The vector of each present picture, by its path beneath the root."""
    statement = (
        select(Picture.relpath, Embedding.vector)
        .join(Embedding, Embedding.content_id == Picture.content_id)
        .where(Picture.state == State.PRESENT)
    )
    with library.read() as connection:
        return {
            os.fsdecode(row.relpath): np.frombuffer(row.vector, "<f2").astype(np.float32)
            for row in connection.execute(statement)
        }


def expected(encoder: FakeEncoder, *colours: str) -> NDArray[np.float32]:
    return encoder.encode_texts(colours).astype("<f2").astype(np.float32)


def test_a_folder_is_taken_in_and_then_left_alone(library: Library, album: Path, counting: Counting) -> None:
    first = index(library, [album], counting)
    assert numbers(first) == {"new": 4, "embedded": 4}
    assert first.seen == 4
    assert first.seconds > 0
    read = {"read", "decode", "preprocess", "hash"}
    assert set(first.timings) == read | {"scan", "forward", "write", "remarks", "looks", "group", "publish"}
    held = vectors(library)
    assert set(held) == {"red.png", "green.png", "blue.png", "more/yellow.png"}
    for name, vector in held.items():
        np.testing.assert_array_equal(vector, expected(counting, Path(name).stem)[0])
    assert verify(library) == []
    second = index(library, [album], counting)
    assert numbers(second) == {"unchanged": 4}
    assert counting.embedded == 4
    assert not {"read", "decode", "forward"} & set(second.timings)


def test_a_broken_file_in_the_middle_of_a_batch_shifts_nothing(
    library: Library, album: Path, counting: Counting
) -> None:
    for name in ("a.png", "c.png", "h.png", "more/a.png", "z.png"):
        (album / name).write_bytes(b"no picture")
    (album / "empty.jpg").write_bytes(b"")
    summary = index(library, [album], counting)
    assert numbers(summary) == {"new": 4, "embedded": 4, "failed": 6}
    for name, vector in vectors(library).items():
        np.testing.assert_array_equal(vector, expected(counting, Path(name).stem)[0])
    assert {failure.path.name for failure in failures(library)} == {"a.png", "c.png", "h.png", "z.png", "empty.jpg"}
    assert {failure.reason for failure in failures(library)} == {"undecodable"}
    assert numbers(index(library, [album], counting)) == {"unchanged": 4, "failed": 6}
    (album / "a.png").write_bytes((album / "red.png").read_bytes())
    assert numbers(index(library, [album], counting)) == {"unchanged": 4, "failed": 5, "changed": 1}
    assert counting.embedded == 4


class AfraidOfWhite(Counting):
    """Returns NaN for a white picture."""

    def _forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors = super()._forward_images(pixels)
        vectors[pixels.min(axis=(1, 2, 3)) == 1] = np.nan
        return vectors


def test_a_picture_the_model_cannot_embed_is_one_failure(library: Library, album: Path, paint: Paint) -> None:
    """The picture itself is known, with all its facts; only this space has no vector of it."""
    paint(album / "c.png", "white")
    assert numbers(index(library, [album], AfraidOfWhite())) == {"new": 4, "embedded": 4, "failed": 1}
    (failure,) = failures(library)
    assert (failure.path.name, failure.reason, failure.tries, failure.space) == ("c.png", "bad-vector", 1, "fake")
    np.testing.assert_array_equal(vectors(library)["green.png"], expected(FakeEncoder(), "green")[0])
    assert counts(library)[State.PRESENT] == 5
    assert verify(library) == []
    again = AfraidOfWhite()
    assert numbers(index(library, [album], again)) == {"unchanged": 4, "failed": 1}
    assert numbers(index(library, [album], again, IndexSettings(full=True))) == {"unchanged": 4, "failed": 1}
    assert failures(library)[0].tries == 2
    paint(album / "c.png", "black")
    assert numbers(index(library, [album], again)) == {"unchanged": 4, "changed": 1, "embedded": 1}
    assert failures(library) == []


def test_what_one_model_cannot_embed_keeps_its_vector_in_another_space(
    library: Library, album: Path, paint: Paint
) -> None:
    paint(album / "c.png", "white")
    index(library, [album], FakeEncoder())
    other = AfraidOfWhite()
    other.space = replace(other.space, weights="afraid")
    with library.write() as connection:
        activate(connection, register(connection, other.space))
    assert numbers(index(library, [album], other)) == {"unchanged": 4, "embedded": 4, "failed": 1}
    assert len(Searcher(library, other)) == 4
    assert len(Searcher(library, space=FakeEncoder().space.fingerprint)) == 5
    assert verify(library) == []


def test_a_fault_is_over_once_a_vector_is_there(library: Library, album: Path, paint: Paint) -> None:
    paint(album / "c.png", "white")
    index(library, [album], AfraidOfWhite())
    mended = numbers(index(library, [album], FakeEncoder(), IndexSettings(full=True)))
    assert mended == {"unchanged": 5, "embedded": 1}
    assert failures(library) == []


def test_moves_copies_and_changes(library: Library, album: Path, counting: Counting, paint: Paint) -> None:
    index(library, [album], counting)
    (album / "red.png").rename(album / "more" / "rouge.png")
    shutil.copy(album / "blue.png", album / "azure.png")
    paint(album / "green.png", "white", (16, 16))
    assert numbers(index(library, [album], counting)) == {
        "unchanged": 2, "moved": 1, "new": 1, "duplicates": 1, "changed": 1, "embedded": 1,
    }  # fmt: skip
    assert counting.embedded == 5
    held = vectors(library)
    np.testing.assert_array_equal(held["more/rouge.png"], expected(counting, "red")[0])
    np.testing.assert_array_equal(held["azure.png"], held["blue.png"])
    np.testing.assert_array_equal(held["green.png"], expected(counting, "white")[0])
    assert verify(library) == []


def test_a_renamed_root_folder_is_all_moves(library: Library, album: Path, tmp_path: Path, counting: Counting) -> None:
    index(library, [album], counting)
    album.rename(tmp_path / "pictures")
    assert numbers(index(library, [tmp_path / "pictures"], counting)) == {"moved": 4}
    assert counting.embedded == 4
    assert sum(counts(library).values()) == 4


def test_what_lies_on_an_unmounted_disk_has_not_moved_to_its_copy(
    library: Library, album: Path, tmp_path: Path, counting: Counting
) -> None:
    index(library, [album], counting)
    album.rename(tmp_path / "disk")
    album.mkdir()  # the place where it was mounted is still there
    shutil.copytree(tmp_path / "disk", tmp_path / "copies")
    assert numbers(index(library, [tmp_path / "copies"], counting)) == {"new": 4, "duplicates": 4}
    assert counting.embedded == 4
    assert [(root.path.name, root.present) for root in list_roots(library)] == [("album", 4), ("copies", 4)]


def test_what_cannot_be_looked_at_has_not_moved_to_its_copy(
    library: Library, album: Path, tmp_path: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network disk whose server is away answers every question with an error."""
    index(library, [album], encoder)
    shutil.copytree(album, tmp_path / "copies")
    look = os.lstat

    def away(path: bytes) -> os.stat_result:
        if os.fsencode(path).startswith(bytes(album)):
            raise OSError(errno.EHOSTDOWN, "Host is down")
        return look(path)

    monkeypatch.setattr(os, "lstat", away)
    assert numbers(index(library, [tmp_path / "copies"], encoder)) == {"new": 4, "duplicates": 4}


def test_pictures_that_went_to_another_root_have_moved(
    library: Library, album: Path, tmp_path: Path, counting: Counting
) -> None:
    index(library, [album], counting)
    (album / "more").rename(tmp_path / "pictures")
    assert numbers(index(library, [tmp_path / "pictures"], counting)) == {"moved": 1}
    assert [(root.path.name, root.present) for root in list_roots(library)] == [("album", 3), ("pictures", 1)]


def test_an_emptied_folder_stops_the_run_unless_it_is_meant(library: Library, album: Path, counting: Counting) -> None:
    index(library, [album], counting)
    kept = album.with_name("kept")
    album.rename(kept)
    with pytest.raises(RootUnavailable, match="--accept-missing"):
        index(library, [album], counting)
    album.mkdir()
    with pytest.raises(RootUnavailable):
        index(library, [album], counting)
    assert counts(library)[State.PRESENT] == 4
    assert numbers(index(library, [album], counting, IndexSettings(accept_missing=True))) == {"missing": 4}
    album.rmdir()
    kept.rename(album)
    assert numbers(index(library, [album], counting)) == {"restored": 4}
    assert counting.embedded == 4
    assert verify(library) == []


@pytest.mark.parametrize("gone", ["", "more", "more/yellow.png"])
def test_what_is_gone_itself_may_be_meant_too(
    library: Library, album: Path, counting: Counting, tmp_path: Path, gone: str
) -> None:
    """The advice that `RootUnavailable` gives must work for a folder that was deleted, and for one file."""
    index(library, [album], counting)
    held, back = (1, {"unchanged": 3, "restored": 1}) if gone else (4, {"restored": 4})
    (album / gone).rename(tmp_path / "elsewhere")
    with pytest.raises(RootUnavailable, match="--accept-missing"):
        index(library, [album / gone], counting)
    meant = IndexSettings(accept_missing=True)
    assert numbers(index(library, [album / gone], counting, meant)) == {"missing": held}
    with pytest.raises(NoSuchFolder):  # nothing is there, and nothing was expected
        index(library, [album / gone], counting, meant)
    (tmp_path / "elsewhere").rename(album / gone)
    assert numbers(index(library, [album], counting)) == back
    assert verify(library) == []


def test_one_folder_needs_no_list(library: Library, album: Path, encoder: FakeEncoder) -> None:
    """A text is a sequence too: taken apart it would mean `/`, the whole disk."""
    assert numbers(index(library, str(album), encoder)) == {"new": 4, "embedded": 4}
    assert numbers(index(library, album, encoder)) == {"unchanged": 4}
    assert [root.path for root in list_roots(library)] == [album]


def test_a_heic_is_read_again_when_its_extra_has_come(
    library: Library, album: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not before: a phone's whole library would be read at every run."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (album / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert numbers(index(library, album, encoder)) == {"new": 4, "failed": 1, "embedded": 4}
    again = index(library, album, encoder)
    assert numbers(again) == {"unchanged": 4, "failed": 1}
    assert "read" not in again.timings
    monkeypatch.setattr("indexer.pipeline.heif_is_installed", lambda: True)
    again = index(library, album, encoder)
    assert numbers(again) == {"unchanged": 4, "failed": 1}  # it has not really come
    assert "read" in again.timings


def test_two_roots_and_a_part_of_one(library: Library, album: Path, tmp_path: Path, paint: Paint) -> None:
    other = paint(tmp_path / "other" / "white.png", "white").parent
    assert numbers(index(library, [album, other], FakeEncoder())) == {"new": 5, "embedded": 5}
    assert [(root.path, root.present) for root in list_roots(library)] == [(album, 4), (other, 1)]
    (album / "red.png").unlink()
    (album / "more" / "yellow.png").unlink()
    paint(album / "more" / "cyan.png", "cyan")
    assert numbers(index(library, [album / "more"], FakeEncoder(), IndexSettings(accept_missing=True))) == {
        "new": 1, "missing": 1, "embedded": 1,
    }  # fmt: skip
    assert len(list_roots(library)) == 2
    assert "red.png" in vectors(library)  # it was not looked for


def test_a_root_around_a_root(library: Library, album: Path, counting: Counting) -> None:
    index(library, [album / "more"], counting)
    assert numbers(index(library, [album], counting)) == {"new": 3, "unchanged": 1, "embedded": 3}
    assert [root.path for root in list_roots(library)] == [album]


def test_a_folder_that_is_named_twice_is_covered_once(library: Library, album: Path, encoder: FakeEncoder) -> None:
    summary = index(library, [album / "more", album, album / "more", album], encoder)
    assert numbers(summary) == {"new": 4, "embedded": 4}
    assert numbers(index(library, [album, album / "more"], encoder)) == {"unchanged": 4}


@pytest.mark.parametrize(("every", "files"), [(0.0, [0, 1]), (300.0, [0, 0])])
def test_a_long_run_publishes_on_its_way(
    library: Library, album: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch, every: float, files: list[int]
) -> None:
    seen: list[int] = []

    class Watching(Progress):
        def advance(self, files: int) -> None:  # noqa: ARG002
            seen.append(len(list(library.indexes.iterdir())))

    monkeypatch.setattr(indexer.pipeline, "PUBLISH_EVERY", every)
    index(library, album, counting, progress=Watching())
    assert seen == files  # two batches of two
    assert verify(library) == []


def test_vectors_that_repair_dropped_are_embedded_again(library: Library, album: Path, counting: Counting) -> None:
    index(library, [album], counting)
    with library.write() as connection:
        connection.execute(update(Embedding).where(Embedding.content_id < 3).values(vector=b"damaged"))
    repair(library)
    assert numbers(index(library, [album], counting)) == {"unchanged": 4, "embedded": 2}
    assert counting.embedded == 6
    assert verify(library) == []
    for name, vector in vectors(library).items():
        np.testing.assert_array_equal(vector, expected(counting, Path(name).stem)[0])


def test_relative_paths_and_strings(library: Library, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(album)
    assert index(library, ["more"], FakeEncoder()).new == 1
    assert index(library, ["."], FakeEncoder()).unchanged == 1
    with library.read() as connection:
        assert connection.execute(select(Root.path)).scalars().all() == [os.fsencode(album)]


def test_names_that_are_not_utf8(library: Library, album: Path, encoder: FakeEncoder) -> None:
    name = os.fsdecode(b"caf\xe9 100%_\n.png")
    (album / "red.png").rename(album / name)
    (album / "more").rename(album / os.fsdecode(b"\xff\xfe"))
    index(library, [album], encoder)
    assert {name, os.fsdecode(b"\xff\xfe/yellow.png")} < set(vectors(library))
    assert index(library, [album / os.fsdecode(b"\xff\xfe")], encoder).unchanged == 1


def test_what_is_no_folder_cannot_be_indexed(library: Library, album: Path, encoder: FakeEncoder) -> None:
    for path in (album / "none", album / "red.png"):
        with pytest.raises(NoSuchFolder) as caught:
            index(library, [album, path], encoder)
        assert caught.value.path == path
    assert counts(library)[State.PRESENT] == 0  # found out before anything was done


def test_a_model_of_another_space_is_refused(library: Library, album: Path, encoder: FakeEncoder) -> None:
    class Larger(FakeEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.space = type(self.space)("fake", "others", 13, self.space.preprocessing)

    index(library, [album], encoder)
    with pytest.raises(SpaceMismatch):
        index(library, [album], Larger())
    assert counts(library)[State.PRESENT] == 4


def test_settings_reach_scan_and_decoder(library: Library, album: Path, paint: Paint, encoder: FakeEncoder) -> None:
    paint(album / "large.png", "white", (100, 100))
    settings = IndexSettings(
        scan=ScanSettings(exclude=("more/", "blue*")), decode=DecodeSettings(max_pixels=5_000), workers=1
    )
    assert numbers(index(library, [album], encoder, settings)) == {"new": 2, "embedded": 2, "failed": 1}
    assert [failure.reason for failure in failures(library)] == ["too-large"]


def test_full_reads_again_and_embeds_nothing(library: Library, album: Path, counting: Counting) -> None:
    index(library, [album], counting)
    summary = index(library, [album], counting, IndexSettings(full=True))
    assert numbers(summary) == {"unchanged": 4}
    assert "read" in summary.timings
    assert counting.embedded == 4


def test_full_notices_what_size_and_time_hide(library: Library, album: Path, counting: Counting) -> None:
    red, blue = ((album / name).read_bytes().ljust(100, b"\0") for name in ("red.png", "blue.png"))
    (album / "red.png").write_bytes(red)
    before = (album / "red.png").stat().st_mtime_ns
    index(library, [album], counting)
    (album / "red.png").write_bytes(blue)
    os.utime(album / "red.png", ns=(before, before))
    assert numbers(index(library, [album], counting)) == {"unchanged": 4}
    assert numbers(index(library, [album], counting, IndexSettings(full=True))) == {
        "unchanged": 3, "changed": 1, "embedded": 1,
    }  # fmt: skip


def test_pictures_in_an_unreadable_folder_are_kept(
    library: Library, album: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(library, [album], encoder)
    real = os.scandir

    def refusing(path: bytes) -> object:
        if os.fsencode(path).endswith(b"/more"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    summary = index(library, [album], encoder)
    assert summary.unreadable == (str(album / "more"),)
    assert numbers(summary) == {"unchanged": 3}
    assert counts(library)[State.PRESENT] == 4


def test_a_file_that_cannot_be_read_keeps_its_vector(
    library: Library, album: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(library, [album], counting)
    os.utime(album / "red.png", ns=(1, 1))
    real = Path.open

    def refusing(self: Path, *args: object, **kwargs: object) -> object:
        if self.name == "red.png":
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refusing)
        assert numbers(index(library, [album], counting)) == {"unchanged": 3, "failed": 1}
    assert [(failure.reason, failure.detail) for failure in failures(library)] == [("unreadable", "Permission denied")]
    assert numbers(index(library, [album], counting)) == {"unchanged": 3, "restored": 1}
    assert counting.embedded == 4


class Meddling(Progress):
    """Does something to the pictures between the scan and the reading."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        self._meddle = meddle

    def begin(self, files: int) -> None:  # noqa: ARG002
        self._meddle()


def test_a_file_that_vanishes_during_the_run_is_no_failure(library: Library, album: Path, encoder: FakeEncoder) -> None:
    settings = IndexSettings(workers=1)
    assert numbers(index(library, [album], encoder, settings, Meddling((album / "red.png").unlink))) == {
        "new": 3, "embedded": 3,
    }  # fmt: skip
    assert failures(library) == []
    assert counts(library)[State.PRESENT] == 3


def test_a_file_that_changes_during_the_run_is_taken_as_it_was_read(
    library: Library, album: Path, encoder: FakeEncoder, paint: Paint
) -> None:
    meddling = Meddling(lambda: paint(album / "red.png", "white", (16, 16)))
    index(library, [album], encoder, progress=meddling)
    np.testing.assert_array_equal(vectors(library)["red.png"], expected(encoder, "white")[0])
    assert numbers(index(library, [album], encoder)) == {"unchanged": 4}
    paint(album / "red.png", "black", (16, 16))
    os.utime(album / "red.png", ns=(5, 5))
    assert numbers(index(library, [album], encoder)) == {"unchanged": 3, "changed": 1, "embedded": 1}


class Stopping(Progress):
    """Ctrl-C after so many files."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, files: int) -> None:
        self.left -= files
        if self.left <= 0:
            raise KeyboardInterrupt


def test_a_run_that_is_stopped_keeps_what_is_settled(
    library: Library, tmp_path: Path, counting: Counting, paint: Paint
) -> None:
    for number in range(12):
        paint(tmp_path / "twelve" / f"{number:02}.png", (number, 0, 0))
    with pytest.raises(KeyboardInterrupt):
        index(library, [tmp_path / "twelve"], counting, IndexSettings(workers=1), Stopping(after=6))
    assert counts(library)[State.PRESENT] == 6
    assert counting.embedded == 6
    with library.writer_lock_if_free() as free:
        assert free
    assert numbers(index(library, [tmp_path / "twelve"], counting)) == {"unchanged": 6, "new": 6, "embedded": 6}
    assert counting.embedded == 12
    assert verify(library) == []


def test_a_run_tells_how_it_goes_on(library: Library, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer.pipeline, "SCAN_REPORT", 2)
    told: list[object] = []

    class Telling(Progress):
        def scanned(self, files: int) -> None:
            told.append(("scanned", files))

        def begin(self, files: int) -> None:
            told.append(("begin", files))

        def advance(self, files: int) -> None:
            told.append(("advance", files))

        def publish(self) -> None:
            told.append("publish")

    index(library, [album], Counting(), progress=Telling())
    assert told == [("scanned", 2), ("scanned", 4), ("begin", 4), ("advance", 2), ("advance", 2), "publish"]


def test_a_second_writer_is_told_to_wait(library: Library, album: Path, encoder: FakeEncoder) -> None:
    import threading

    told = threading.Event()

    class Waiting(Progress):
        def waiting(self) -> None:
            told.set()

    def other() -> None:
        with Library.open(library.path) as own:
            index(own, [album], FakeEncoder(), progress=Waiting())

    thread = threading.Thread(target=other)
    with library.writer_lock():
        thread.start()
        assert told.wait(10)
        assert counts(library)[State.PRESENT] == 0
    thread.join()
    assert counts(library)[State.PRESENT] == 4


def test_a_summary_is_plain_data(library: Library, album: Path, encoder: FakeEncoder) -> None:
    record = asdict(index(library, [album], encoder))
    assert record["new"] == 4
    assert isinstance(record["timings"], dict)


@pytest.mark.parametrize("name", [".hidden", "ignored", "link"])
def test_a_folder_that_its_root_passes_over_says_so(
    library: Library, tmp_path: Path, paint: Callable[..., Path], encoder: FakeEncoder, name: str
) -> None:
    paint(tmp_path / "all" / "red.png", "red")
    (tmp_path / "all" / ".sightlineignore").write_text("ignored/\n")
    paint(tmp_path / "elsewhere" / "blue.png", "blue")
    if name == "link":
        (tmp_path / "all" / name).symlink_to(tmp_path / "elsewhere")
    else:
        paint(tmp_path / "all" / name / "blue.png", "blue")
    index(library, tmp_path / "all", encoder)
    with pytest.raises(FolderPassedOver) as raised:
        index(library, tmp_path / "all" / name, encoder)
    assert (raised.value.path, raised.value.root) == (tmp_path / "all" / name, tmp_path / "all")
    assert len(Searcher(library, encoder)) == 1
    paint(tmp_path / "other" / "lime.png", "lime")
    with pytest.raises(FolderPassedOver):
        index(library, [tmp_path / "other", tmp_path / "all" / name], encoder)
    assert verify(library) == []
    assert not Searcher(library, encoder).heal()  # what came before it is published: there is nothing to mend
