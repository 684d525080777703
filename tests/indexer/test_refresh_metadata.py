"""Metadata of files and sidecars: indexed, and read again when it changes or was read by an older version."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select, update

import store.ingest.metadata
from core.metadata import METADATA_VERSION, PhotoMetadata
from encoders.fake import FakeEncoder
from indexer import index
from indexer.scan import scan
from store import Library
from store.catalog.tables import Content, Picture, Sidecar, TagSource
from store.ingest.metadata import MetadataRefresh
from store.ingest.scanned_files import unpack_sidecars
from store.tags import Tagging, add_tags, list_tags, tags_of

Paint = Callable[..., Path]

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmp:Rating="{stars}">
<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"""


def xmp(*keywords: str, stars: int = 3) -> str:
    return XMP.format(stars=stars, items="".join(f"<rdf:li>{keyword}</rdf:li>" for keyword in keywords))


def tags(library: Library, source: TagSource) -> set[str]:
    return {tag.name for tag in list_tags(library) if source in tag.by_source}


def ratings(library: Library) -> list[int | None]:
    with library.read() as connection:
        return list(connection.execute(select(Sidecar.rating).order_by(Sidecar.picture_id)).scalars())


def test_sidecar_metadata_follows_its_picture(library: Library, album: Path, encoder: FakeEncoder) -> None:
    beside = album / "red.png.xmp"
    beside.write_text(xmp("one", "two, three"))
    assert index(library, album, encoder).metadata_updated == 1
    assert tags(library, TagSource.SIDECAR) == {"one", "two, three"}
    assert index(library, album, encoder).metadata_updated == 0
    beside.write_text(xmp("other", stars=5))
    changed = index(library, album, encoder)
    assert (changed.metadata_updated, changed.unchanged, changed.embedded) == (1, 4, 0)
    assert (tags(library, TagSource.SIDECAR), ratings(library)) == ({"other"}, [5])
    (album / "red.png").rename(album / "more" / "red.png")
    beside.rename(album / "more" / "RED.xmp")  # the naming of another program
    assert index(library, album, encoder).moved == 1
    assert (tags(library, TagSource.SIDECAR), ratings(library)) == ({"other"}, [5])
    (album / "more" / "RED.xmp").unlink()
    index(library, album, encoder)
    assert (tags(library, TagSource.SIDECAR), ratings(library)) == (set(), [])


@pytest.mark.parametrize("content", [b"", b"<a>", b"\xff" * 100, b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', b"<a/>"])
def test_invalid_sidecar_is_read_once(library: Library, album: Path, encoder: FakeEncoder, content: bytes) -> None:
    (album / "red.xmp").write_bytes(content)
    assert [index(library, album, encoder).metadata_updated for _ in range(2)] == [1, 0]
    assert ratings(library) == [None]


def test_unreadable_sidecar_is_tried_again(library: Library, album: Path, encoder: FakeEncoder) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (album / "red.xmp").write_text(xmp("one"))
    (album / "red.xmp").chmod(0)
    assert index(library, album, encoder).metadata_updated == 0
    (album / "red.xmp").chmod(0o600)
    assert index(library, album, encoder).metadata_updated == 1


def test_sidecar_with_full_file_name_takes_precedence(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "a.png")
    paint(tmp_path / "b.png")
    for name in ("a.xmp", "a.png.XMP", "B.XMP"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder.png.xmp").mkdir()
    found = {file.relpath: unpack_sidecars(file.sidecars) for file in scan(tmp_path) if file.sidecars}
    sidecars = {relpath: [sidecar.relpath for sidecar in files] for relpath, files in found.items()}
    assert sidecars == {b"a.png": [b"a.png.XMP"], b"b.png": [b"B.XMP"]}


def test_keywords_of_a_file_belong_to_its_content(library: Library, tmp_path: Path, encoder: FakeEncoder) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    Image.new("RGB", (8, 8), "red").save(folder / "a.jpg", xmp=xmp("inside", stars=4).encode())
    (folder / "b.jpg").write_bytes((folder / "a.jpg").read_bytes())
    index(library, folder, encoder)
    with library.read() as connection:
        (content,) = connection.execute(select(Content.id, Content.rating)).all()
        assert content.rating == 4
    assert [(tag.name, tag.source) for tag in tags_of(library, [content.id])[content.id]] == [
        ("inside", TagSource.FILE)
    ]


@pytest.fixture
def old(library: Library, tmp_path: Path, encoder: FakeEncoder) -> Path:
    """Three pictures whose metadata an older version read without finding any. One of them has a user tag."""
    folder = tmp_path / "old"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / f"{number}.jpg", xmp=xmp(f"k{number}").encode())
    index(library, folder, encoder)
    with library.transaction() as connection:
        connection.execute(update(Content).values(facts_version=0, rating=None))
    add_tags(library, [Tagging(1, "mine")])
    return folder


def test_metadata_of_an_older_version_is_read_again_once(
    library: Library, old: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.ingest.metadata, "REFRESH_PAGE_SIZE", 2)
    again = index(library, old, encoder)
    assert (again.metadata_updated, again.unchanged, again.embedded) == (3, 3, 0)
    with library.read() as connection:
        assert set(connection.execute(select(Content.rating)).scalars()) == {3}
    assert tags(library, TagSource.FILE) == {"k0", "k1", "k2"}
    assert tags(library, TagSource.USER) == {"mine"}
    assert index(library, old, encoder).metadata_updated == 0


def test_pictures_with_outdated_headers_and_new_sidecars_count_once(
    library: Library, old: Path, encoder: FakeEncoder
) -> None:
    for picture in old.iterdir():
        picture.with_name(picture.name + ".xmp").write_text(xmp("new"))
    assert index(library, old, encoder).metadata_updated == 3


def test_metadata_of_missing_or_changed_files_is_not_read_again(
    library: Library, old: Path, encoder: FakeEncoder
) -> None:
    (old / "0.jpg").unlink()
    Image.new("RGB", (9, 9), "lime").save(old / "1.jpg")
    assert index(library, old, encoder).metadata_updated == 1
    with library.read() as connection:
        statement = select(Picture.relpath, Content.facts_version).join(Content, Content.id == Picture.content_id)
        assert {row.relpath: row.facts_version for row in connection.execute(statement)} == {
            b"0.jpg": 0,
            b"1.jpg": METADATA_VERSION,
            b"2.jpg": METADATA_VERSION,
        }


def test_interrupted_refresh_continues(
    library: Library, old: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.ingest.metadata, "REFRESH_PAGE_SIZE", 2)
    with monkeypatch.context() as patch:
        update_contents, pages = MetadataRefresh.update_contents, iter([True])

        def update_one_page(self: MetadataRefresh, metadata: Mapping[int, PhotoMetadata]) -> None:
            if not next(pages, False):
                raise KeyboardInterrupt
            update_contents(self, metadata)

        patch.setattr(MetadataRefresh, "update_contents", update_one_page)
        with pytest.raises(KeyboardInterrupt):
            index(library, old, encoder)
    assert index(library, old, encoder).metadata_updated == 1
