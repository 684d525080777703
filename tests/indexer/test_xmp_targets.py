"""Which file is the XMP sidecar of a picture: the one that index runs read, and no other picture's."""

import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer import IndexSettings, index
from indexer.scan import ScanSettings
from indexer.xmp_targets import FolderTargets
from indexer.xmp_writing import SidecarResult, write_sidecars
from store import Library
from store.catalog.tables import TagSource
from store.ratings import rate
from store.written_sidecars import said_files
from tests.support.indexing import CountingEncoder
from tests.support.sidecar_writing import ids_of, tag, tags_from, write, xmp


def test_copies_have_sidecars_of_their_own(
    indexed: Library, album: Path, counting: CountingEncoder, tmp_path: Path
) -> None:
    shutil.copy(album / "red.png", album / "more" / "copy.png")
    index(indexed, [album], counting)
    tag(indexed, album / "red.png", "word")
    assert {name: each.result for name, each in write(indexed).items()} == {
        "red.png": SidecarResult.CREATED,
        "copy.png": SidecarResult.CREATED,
    }


@pytest.mark.parametrize(
    ("name", "others", "sidecar"),
    [
        ("a.png", [], "a.png.xmp"),
        ("a.png", ["a.xmp"], "a.xmp"),
        ("a.png", ["a.xmp", "a.png.xmp"], "a.png.xmp"),
        ("a.png", ["A.XMP"], "A.XMP"),
        ("a.png", ["._a.png.xmp"], "a.png.xmp"),
        ("ü.png", [unicodedata.normalize("NFD", "ü") + ".png.xmp"], unicodedata.normalize("NFD", "ü") + ".png.xmp"),
        ("a.png", ["a.jpg.xmp"], "a.png.xmp"),
        ("IMG (1).png", ["IMG.xmp"], "IMG (1).png.xmp"),
    ],
)
def test_the_sidecar_that_index_runs_read_is_written(
    library: Library,
    paint: Callable[..., Path],
    counting: CountingEncoder,
    tmp_path: Path,
    name: str,
    others: list[str],
    sidecar: str,
) -> None:
    folder = tmp_path / "pictures"
    picture = paint(folder / name)
    for other in others:
        (folder / other).write_text(xmp("old"))
    index(library, [folder], counting)
    tag(library, folder / name, "new")
    (outcome,) = write(library).values()
    assert (outcome.sidecar, outcome.added) == (folder / sidecar, ("new",))
    index(library, [folder], counting)
    assert "new" in tags_from(library, picture, TagSource.SIDECAR)


def test_a_raw_file_and_its_jpeg_share_what_is_written(
    library: Library, paint: Callable[..., Path], counting: CountingEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    paint(folder / "a.jpg")
    (folder / "a.nef").write_bytes(b"not decoded, because a.jpg stands for it")
    (folder / "a.nef.xmp").write_text(xmp("old"))
    index(library, [folder], counting)
    tag(library, folder / "a.jpg", "new")
    (outcome,) = write(library).values()
    assert outcome.sidecar == folder / "a.nef.xmp"
    index(library, [folder], counting)
    assert tags_from(library, folder / "a.jpg", TagSource.SIDECAR) == ["new", "old"]


def test_a_sidecar_of_several_pictures_is_written_only_if_all_say_the_same(
    library: Library, paint: Callable[..., Path], counting: CountingEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    paint(folder / "a.jpg", "red")
    paint(folder / "a.png", "blue")
    (folder / "a.xmp").write_text(xmp("old"))
    index(library, [folder], counting, IndexSettings(scan=ScanSettings(pairs=False)))
    tag(library, folder / "a.jpg", "new")
    (outcome,) = write(library).values()
    assert outcome.result is SidecarResult.REFUSED
    assert outcome.reason == "it is also the sidecar of a.png, with other tags or another rating"
    tag(library, folder / "a.png", "new")
    assert [each.result for each in write(library).values()] == [SidecarResult.CHANGED, SidecarResult.UNCHANGED]
    assert (folder / "a.xmp").read_text() == xmp("old", "new")


def test_a_shared_sidecar_is_written_for_one_picture_if_the_same_was_said_about_the_other(
    library: Library, paint: Callable[..., Path], counting: CountingEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    paint(folder / "sub" / "a.jpg", "red")
    paint(folder / "sub" / "a.png", "blue")
    (folder / "sub" / "a.xmp").write_text(xmp("old"))
    index(library, [folder], counting, IndexSettings(scan=ScanSettings(pairs=False)))
    tag(library, folder, "new")
    (file,) = said_files(library, ids_of(library, folder / "sub" / "a.jpg"))
    assert [each.result for each in write_sidecars(library, [file])] == [SidecarResult.CHANGED]
    rate(library, ids_of(library, folder / "sub" / "a.png"), 3)
    assert [each.result for each in write_sidecars(library, [file])] == [SidecarResult.REFUSED]


def test_a_new_sidecar_must_not_belong_to_another_picture() -> None:
    names = frozenset([b"a.jpg", b"A.JPG", b"b", b"b.jpg", b"c.jpg", b"c.jpg.png"])
    targets = FolderTargets(Path("/none"), names, names)
    assert targets.new(names) == {
        b"b": b"b.xmp",
        b"b.jpg": b"b.jpg.xmp",
        b"c.jpg": b"c.jpg.xmp",
        b"c.jpg.png": b"c.jpg.png.xmp",
    }
    alone = FolderTargets(Path("/none"), names - {b"b"}, names - {b"b"})
    assert alone.new([b"A.JPG"]) == {b"A.JPG": b"A.JPG.xmp"}  # no other one is written that differs in case only
    both = FolderTargets(Path("/none"), frozenset([b"b", b"b.jpg"]), frozenset([b"b", b"b.jpg"]))
    assert both.new([b"b"]) == {b"b": b"b.xmp"}  # `b.xmp` is not that of `b.jpg` beside a picture `b`


def test_names_that_are_not_utf8_are_written_beside_their_pictures(
    library: Library, paint: Callable[..., Path], counting: CountingEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    picture = paint(folder / os.fsdecode(b"\xff\n.png"))
    index(library, [folder], counting)
    tag(library, picture, "new")
    (outcome,) = write(library).values()
    assert outcome.sidecar == folder / os.fsdecode(b"\xff\n.png.xmp")
    index(library, [folder], counting)
    assert tags_from(library, picture, TagSource.SIDECAR) == ["new"]
