"""Pictures by ID: metadata, thumbnails, originals, and files that must not be found."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import update

from core.formats import RAW_FORMATS, VIDEO_FORMATS
from core.metadata import Area, Person
from encoders.fake import FakeEncoder
from indexer import index
from pictures.opening import FORMATS
from store import Library
from store.catalog.tables import Content
from store.people import set_people
from tests.support.web import PICTURES
from web.api.pictures import MEDIA_TYPES

Paint = Callable[..., Path]


def ids(client: TestClient) -> dict[str, int]:
    """Return the ID of each picture by its file name."""
    found = {}
    for number in range(1, 20):
        answer = client.get(f"{PICTURES}/{number}")
        if answer.status_code == 200:
            found[answer.json()["name"]] = number
    return found


def test_picture_returns_its_metadata(client: TestClient, album: Path) -> None:
    data = client.get(f"{PICTURES}/{ids(client)['yellow.png']}").json()
    assert data["path"] == str(album / "more" / "yellow.png")
    assert (data["width"], data["height"], data["format"], data["copies"]) == (8, 8, "PNG", [])
    assert data["size"] == (album / "more" / "yellow.png").stat().st_size


def test_people_places_and_the_kind_of_date_are_returned(
    client: TestClient, indexed: Library, tmp_path: Path, encoder: FakeEncoder
) -> None:
    folder = tmp_path / "party"
    folder.mkdir()
    Image.new("RGB", (16, 8), "pink").save(folder / "IMG-20201018-WA0007.jpg")
    index(indexed, [folder], encoder)
    number = ids(client)["IMG-20201018-WA0007.jpg"]
    with indexed.transaction() as connection:
        set_people(connection, {number: [Person("Anna", Area(0.1, 0.2, 0.3, 0.4)), Person("Ben")]})
        connection.execute(update(Content).where(Content.id == number).values(city="Rome", country="Italy"))
    data = client.get(f"{PICTURES}/{number}").json()
    assert (data["taken_at"], data["utc_offset"], data["date_source"]) == ("2020-10-18T00:00:00", None, "name")
    assert (data["sublocation"], data["city"], data["region"], data["country"]) == (None, "Rome", None, "Italy")
    area = {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}
    assert data["people"] == [{"name": "Anna", "area": area}, {"name": "Ben", "area": None}]


def test_original_returns_the_unchanged_file(client: TestClient, album: Path) -> None:
    answer = client.get(f"{PICTURES}/{ids(client)['red.png']}/original")
    assert answer.content == (album / "red.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_thumbnail_is_upright_and_small(
    client: TestClient, indexed: Library, tmp_path: Path, encoder: FakeEncoder
) -> None:
    wide = Image.new("RGB", (1000, 500), "blue")
    wide.paste("red", (0, 0, 500, 500))  # the left half is red; after the rotation, it is the upper half
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated by 90 degrees
    folder = tmp_path / "turned"
    folder.mkdir()
    wide.save(folder / "turned.jpg", exif=exif)
    index(indexed, [folder], encoder)
    answer = client.get(f"{PICTURES}/{ids(client)['turned.jpg']}/thumbnail", params={"size": 192})
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    shown = Image.open(io.BytesIO(answer.content)).convert("RGB")
    assert shown.size == (96, 192)
    upper, lower = shown.getpixel((48, 20)), shown.getpixel((48, 170))
    assert isinstance(upper, tuple)
    assert isinstance(lower, tuple)
    assert upper[0] > 200 > 60 > upper[2]
    assert lower[2] > 200 > 60 > lower[0]


def test_thumbnail_is_cached(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{PICTURES}/{ids(client)['red.png']}/thumbnail"
    first = client.get(path)
    monkeypatch.setattr("web.thumbnails.decode", None)  # decoding again would fail
    assert client.get(path).content == first.content
    assert len(list((tmp_path / "cache").rglob("*.webp"))) == 1


def test_thumbnails_work_without_a_writable_cache(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert client.get(f"{PICTURES}/{ids(client)['red.png']}/thumbnail").status_code == 200


@pytest.mark.parametrize(
    "picture",
    [
        "0",
        "-1",
        "99999",
        str(2**63 - 1),
        str(2**63),
        "1.5",
        "abc",
        "%2e%2e%2fsecret",
        "../../etc/passwd",
        "1%00",
        "/etc",
    ],
)
@pytest.mark.parametrize("what", ["", "/thumbnail", "/original"])
def test_unknown_picture_is_not_found(shared: TestClient, picture: str, what: str) -> None:
    answer = shared.get(f"{PICTURES}/{picture}{what}")
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def same_404(client: TestClient, number: int) -> None:
    missing = client.get(f"{PICTURES}/99999/original")
    for what in ("original", "thumbnail"):
        answer = client.get(f"{PICTURES}/{number}/{what}")
        assert (answer.status_code, answer.content) == (404, missing.content)


def test_link_out_of_its_root_is_not_followed(client: TestClient, album: Path, tmp_path: Path) -> None:
    number = ids(client)["red.png"]
    secret = tmp_path / "album-private" / "secret.png"  # a name that starts like the root's
    secret.parent.mkdir()
    (album / "red.png").rename(secret)
    (album / "red.png").symlink_to(secret)
    same_404(client, number)


def test_folder_replaced_by_a_link_is_not_followed(client: TestClient, album: Path, tmp_path: Path) -> None:
    number = ids(client)["yellow.png"]
    (album / "more").rename(tmp_path / "elsewhere")
    (album / "more").symlink_to(tmp_path / "elsewhere")
    same_404(client, number)


def test_link_within_the_root_is_followed(client: TestClient, album: Path) -> None:
    number = ids(client)["red.png"]
    (album / "red.png").rename(album / "moved.png")
    (album / "red.png").symlink_to(album / "moved.png")
    assert client.get(f"{PICTURES}/{number}/original").status_code == 200


@pytest.mark.parametrize("instead", ["nothing", "folder", "fifo", "unreadable"])
def test_deleted_or_replaced_file_is_not_found(client: TestClient, album: Path, instead: str) -> None:
    number = ids(client)["red.png"]
    (album / "red.png").unlink()
    if instead == "folder":
        (album / "red.png").mkdir()
    elif instead == "fifo":
        os.mkfifo(album / "red.png")  # opening a pipe for reading would block
    elif instead == "unreadable":
        (album / "red.png").symlink_to(album / "red.png")
    same_404(client, number)


def test_copy_is_used_when_the_first_file_is_missing(
    client: TestClient, indexed: Library, album: Path, paint: Paint, encoder: FakeEncoder
) -> None:
    paint(album / "zcopy.png", "red")
    index(indexed, [album], encoder)
    number = next(n for n in range(1, 20) if client.get(f"{PICTURES}/{n}").json().get("copies"))
    (album / "red.png").unlink()
    assert client.get(f"{PICTURES}/{number}/original").content == (album / "zcopy.png").read_bytes()


def test_undecodable_file_name_is_escaped(
    client: TestClient, indexed: Library, album: Path, encoder: FakeEncoder
) -> None:
    os.link(album / "red.png", os.fsencode(album) + b"/caf\xe9.png")
    os.unlink(album / "red.png")  # noqa: PTH108
    index(indexed, [album], encoder)
    assert "caf\\xe9.png" in ids(client)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.mpo.jpg", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.gif", "image/gif"),
        ("a.tif", "image/tiff"),
        ("a.jp2", "image/jp2"),
    ],
)
def test_original_has_the_media_type_of_its_content(
    client: TestClient, indexed: Library, tmp_path: Path, encoder: FakeEncoder, name: str, media_type: str
) -> None:
    folder = tmp_path / "formats"
    folder.mkdir()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("teal", "navy")]
    if name == "a.mpo.jpg":
        frames[0].save(folder / name, "MPO", save_all=True, append_images=frames[1:])
    else:
        frames[0].save(folder / name)
    index(indexed, [folder], encoder)
    answer = client.get(f"{PICTURES}/{ids(client)[name]}/original")
    assert answer.headers["content-type"] == media_type
    assert answer.content == (folder / name).read_bytes()


def test_every_supported_format_has_a_media_type() -> None:
    of_one_name = {form.name for form in FORMATS} - {"VIDEO"}
    assert of_one_name | {"MPO", *RAW_FORMATS, *VIDEO_FORMATS} == set(MEDIA_TYPES)
