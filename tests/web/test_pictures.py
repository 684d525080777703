"""Pictures by their id: metadata, thumbnails, originals; and everything that must look as if it were not there."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import index
from pictures.decode import _PLUGINS
from store import Library
from tests.support.web import PICTURES
from web.api.pictures import MEDIA_TYPES

Paint = Callable[..., Path]


def ids(client: TestClient) -> dict[str, int]:
    """The id of each picture, by its name."""
    found = {}
    for number in range(1, 20):
        answer = client.get(f"{PICTURES}/{number}")
        if answer.status_code == 200:
            found[answer.json()["name"]] = number
    return found


def test_a_picture_tells_what_is_known_of_it(client: TestClient, album: Path) -> None:
    told = client.get(f"{PICTURES}/{ids(client)['yellow.png']}").json()
    assert told["path"] == str(album / "more" / "yellow.png")
    assert (told["width"], told["height"], told["format"], told["copies"]) == (8, 8, "PNG", [])
    assert told["size"] == (album / "more" / "yellow.png").stat().st_size


def test_an_original_is_the_file_byte_for_byte(client: TestClient, album: Path) -> None:
    answer = client.get(f"{PICTURES}/{ids(client)['red.png']}/original")
    assert answer.content == (album / "red.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_a_thumbnail_is_upright_and_small(
    client: TestClient, indexed: Library, tmp_path: Path, encoder: FakeEncoder
) -> None:
    wide = Image.new("RGB", (1000, 500), "blue")
    wide.paste("red", (0, 0, 500, 500))  # the left half is red: upright after a quarter turn, the upper half
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
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


def test_a_thumbnail_is_made_once(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{PICTURES}/{ids(client)['red.png']}/thumbnail"
    first = client.get(path)
    monkeypatch.setattr("web.thumbnails.decode", None)  # who decodes again fails
    assert client.get(path).content == first.content
    assert len(list((tmp_path / "cache").rglob("*.webp"))) == 1


def test_without_room_for_the_cache_thumbnails_are_made_each_time(client: TestClient, tmp_path: Path) -> None:
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
def test_what_is_not_there_is_not_there(shared: TestClient, picture: str, what: str) -> None:
    answer = shared.get(f"{PICTURES}/{picture}{what}")
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def same_404(client: TestClient, number: int) -> None:
    missing = client.get(f"{PICTURES}/99999/original")
    for what in ("original", "thumbnail"):
        answer = client.get(f"{PICTURES}/{number}/{what}")
        assert (answer.status_code, answer.content) == (404, missing.content)


def test_a_link_that_leads_out_of_its_root_is_not_followed(client: TestClient, album: Path, tmp_path: Path) -> None:
    number = ids(client)["red.png"]
    secret = tmp_path / "album-private" / "secret.png"  # begins as the root's name does: no containment by letters
    secret.parent.mkdir()
    (album / "red.png").rename(secret)
    (album / "red.png").symlink_to(secret)
    same_404(client, number)


def test_a_folder_that_became_a_link_is_not_followed(client: TestClient, album: Path, tmp_path: Path) -> None:
    number = ids(client)["yellow.png"]
    (album / "more").rename(tmp_path / "elsewhere")
    (album / "more").symlink_to(tmp_path / "elsewhere")
    same_404(client, number)


def test_a_link_within_the_root_is_followed(client: TestClient, album: Path) -> None:
    number = ids(client)["red.png"]
    (album / "red.png").rename(album / "moved.png")
    (album / "red.png").symlink_to(album / "moved.png")
    assert client.get(f"{PICTURES}/{number}/original").status_code == 200


@pytest.mark.parametrize("instead", ["nothing", "folder", "fifo", "unreadable"])
def test_what_is_no_file_any_more_is_not_there(client: TestClient, album: Path, instead: str) -> None:
    number = ids(client)["red.png"]
    (album / "red.png").unlink()
    if instead == "folder":
        (album / "red.png").mkdir()
    elif instead == "fifo":
        os.mkfifo(album / "red.png")  # to open one for reading would wait for ever
    elif instead == "unreadable":
        (album / "red.png").symlink_to(album / "red.png")
    same_404(client, number)


def test_a_copy_is_shown_where_the_first_file_is_gone(
    client: TestClient, indexed: Library, album: Path, paint: Paint, encoder: FakeEncoder
) -> None:
    paint(album / "zcopy.png", "red")
    index(indexed, [album], encoder)
    number = next(n for n in range(1, 20) if client.get(f"{PICTURES}/{n}").json().get("copies"))
    (album / "red.png").unlink()
    assert client.get(f"{PICTURES}/{number}/original").content == (album / "zcopy.png").read_bytes()


def test_a_name_that_is_not_utf8_is_told_as_it_is_elsewhere(
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
def test_an_original_says_what_it_is(
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


def test_every_format_that_is_read_has_a_media_type() -> None:
    assert set(_PLUGINS) | {"MPO", "HEIF"} == set(MEDIA_TYPES)
