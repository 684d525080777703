"""Pages and moments over HTTP: hits, thumbnails, images, highlights and similar pictures."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from encoders.fake import FakeEncoder
from store import Library
from tests.support.frame_files import index_files, write_animation, write_pages
from tests.support.web import API, BASE_URL, PICTURES
from web import ServeSettings, create_app


@pytest.fixture
def ids(library: Library, tmp_path: Path) -> dict[str, int]:
    """A TIFF with a white, a blue and a red page, the last of 40 x 20 pixels, an animation, and a still picture."""
    folder = tmp_path / "files"
    write_pages(folder / "scan.tif", "white", "blue", "red", sizes=((8, 8), (8, 8), (40, 20)))
    write_animation(folder / "clip.gif", "black", "lime", milliseconds=7000)
    Image.new("RGB", (8, 8), "yellow").save(folder / "still.png")
    return index_files(library, folder, FakeEncoder())


@pytest.fixture
def client(library: Library, ids: dict[str, int], settings: ServeSettings) -> Iterator[TestClient]:
    with TestClient(create_app(library, settings), base_url=BASE_URL, raise_server_exceptions=False) as opened:
        yield opened


def search(client: TestClient, **request: Any) -> dict[str, Any]:
    answer = client.post(f"{API}/search", json=request)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def colour_and_size(data: bytes) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Return the colour in the middle of an image, rounded to multiples of 51, and its size."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return tuple(51 * round(value / 51) for value in pixel), image.size


RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def test_hit_describes_the_matched_frame(client: TestClient) -> None:
    red, green, yellow = (search(client, query=colour)["hits"][0] for colour in ("red", "green", "yellow"))
    assert red["frame"] == {"number": 2, "kind": "page", "seconds": None, "label": "page 3"}
    assert green["frame"] == {"number": 1, "kind": "moment", "seconds": 7, "label": "0:07"}
    assert yellow["frame"] is None
    assert [hit["frame"] for hit in search(client)["hits"]] == [None] * 3  # a list has no matched frames


def test_every_frame_is_a_hit(client: TestClient) -> None:
    hits = search(client, query="red", every_frame=True)["hits"]
    assert [hit["name"] for hit in hits].count("scan.tif") == 3
    assert len(hits) == 6
    assert len(search(client, query="red")["hits"]) == 3


def test_picture_lists_its_frames(client: TestClient, ids: dict[str, int]) -> None:
    frames = client.get(f"{PICTURES}/{ids['scan.tif']}").json()["frames"]
    assert [(frame["number"], frame["label"]) for frame in frames] == [(0, "page 1"), (1, "page 2"), (2, "page 3")]
    assert client.get(f"{PICTURES}/{ids['still.png']}").json()["frames"] == []


def test_thumbnail_shows_the_frame_at_its_size(client: TestClient, ids: dict[str, int]) -> None:
    address = f"{PICTURES}/{ids['scan.tif']}/thumbnail"
    frames = [client.get(address, params=params).content for params in ({}, {"frame": 1}, {"frame": 2})]
    assert list(map(colour_and_size, frames)) == [(WHITE, (8, 8)), (BLUE, (8, 8)), (RED, (40, 20))]


def test_thumbnails_of_frames_are_cached_separately(
    client: TestClient, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{PICTURES}/{ids['scan.tif']}/thumbnail"
    first = [client.get(address, params={"frame": frame}) for frame in range(3)]
    monkeypatch.setattr("web.thumbnails.decode", None)  # decoding again would fail
    again = [client.get(address, params={"frame": frame}) for frame in range(3)]
    assert [answer.content for answer in again] == [answer.content for answer in first]
    tags = [answer.headers["etag"] for answer in again]
    assert len(set(tags)) == 3
    known = {"If-None-Match": tags[1]}
    assert [client.get(address, params={"frame": frame}, headers=known).status_code for frame in range(3)] == [
        200,
        304,
        200,
    ]


def test_frame_image_has_full_size_and_a_permanent_tag(client: TestClient, ids: dict[str, int]) -> None:
    address = f"{PICTURES}/{ids['scan.tif']}/frames/2"
    answer = client.get(address)
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert colour_and_size(answer.content) == (RED, (40, 20))
    assert client.get(address, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert client.get(f"{PICTURES}/{ids['scan.tif']}/frames/1").headers["etag"] != answer.headers["etag"]
    assert colour_and_size(client.get(f"{PICTURES}/{ids['still.png']}/frames/0").content)[1] == (8, 8)


def test_frames_are_also_sent_as_jpeg(client: TestClient, ids: dict[str, int]) -> None:
    address = f"{PICTURES}/{ids['scan.tif']}/frames/2"
    exact, answer = client.get(address), client.get(f"{address}?format=jpeg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).format == "JPEG"
    assert Image.open(io.BytesIO(answer.content)).size == Image.open(io.BytesIO(exact.content)).size
    assert answer.headers["etag"] != exact.headers["etag"]
    again = client.get(f"{address}?format=jpeg", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (304, answer.headers["etag"])
    assert client.get(f"{address}?format=tiff").status_code == 422


def test_frame_of_a_changed_file_is_not_cached(client: TestClient, ids: dict[str, int], tmp_path: Path) -> None:
    write_pages(tmp_path / "files" / "scan.tif", "white", "red", "red")
    answer = client.get(f"{PICTURES}/{ids['scan.tif']}/frames/1")
    assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)
    write_pages(tmp_path / "files" / "scan.tif", "white")
    assert client.get(f"{PICTURES}/{ids['scan.tif']}/frames/1").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["thumbnail?frame={}", "frames/{}", "highlight?prompt=red&frame={}", "highlight.png?prompt=red&frame={}",
     "similar?frame={}"],
)  # fmt: skip
def test_unknown_frame_is_not_found(client: TestClient, ids: dict[str, int], path: str) -> None:
    answer = client.get(f"{PICTURES}/{ids['scan.tif']}/{path.format(3)}")
    assert (answer.status_code, answer.json()["title"]) == (404, "FrameNotFound")
    assert answer.json()["detail"] == "The picture has no frame 3; its frames have the numbers 0 to 2."
    still = client.get(f"{PICTURES}/{ids['still.png']}/{path.format(1)}")
    assert (still.status_code, still.json()["detail"]) == (404, "The picture has no frame 1; 0 is the only one.")
    assert client.get(f"{PICTURES}/{ids['scan.tif']}/{path.format(-1)}").status_code == 422
    assert client.get(f"{PICTURES}/12345/{path.format(1)}").json()["title"] == "NotThere"


def test_original_is_the_whole_file(client: TestClient, ids: dict[str, int], tmp_path: Path) -> None:
    data = (tmp_path / "files" / "scan.tif").read_bytes()
    assert client.get(f"{PICTURES}/{ids['scan.tif']}/original").content == data


def test_highlight_boxes_are_pixels_of_the_frame(client: TestClient, ids: dict[str, int]) -> None:
    address = f"{PICTURES}/{ids['scan.tif']}/highlight"
    assert client.get(address, params={"prompt": "red", "frame": 2}).json()["boxes"] == [[0, 0, 40, 20]]
    assert client.get(address, params={"prompt": "red", "frame": 1}).json()["boxes"] == []
    drawn = client.get(f"{address}.png", params={"prompt": "red", "frame": 2})
    assert Image.open(io.BytesIO(drawn.content)).size == (40, 20)


def test_similar_uses_the_vector_of_the_frame(client: TestClient, ids: dict[str, int]) -> None:
    found = client.get(f"{PICTURES}/{ids['scan.tif']}/similar", params={"frame": 1}).json()
    assert (found["query"], found["hits"][0]["frame"]["number"]) == (f"like:{ids['scan.tif']}#2", 1)
    part = {"picture": ids["scan.tif"], "frame": 2}
    assert search(client, parts=[part])["hits"][0]["frame"]["number"] == 2
    assert search(client, query=f"like:{ids['scan.tif']}#2")["hits"][0]["frame"]["number"] == 1
    cropped = {**part, "crop": [0.5, 0, 0.5, 1]}
    assert search(client, parts=[cropped])["hits"][0]["frame"]["number"] == 2


def test_text_with_a_frame_is_invalid(client: TestClient) -> None:
    answer = client.post(f"{API}/search", json={"parts": [{"text": "red", "frame": 1}]})
    assert (answer.status_code, "has no frames" in answer.json()["detail"]) == (422, True)


def test_album_of_a_frame_finds_it(client: TestClient, ids: dict[str, int]) -> None:
    client.put(f"{API}/albums/blue", json={"parts": [{"picture": ids["scan.tif"], "frame": 1}]})
    (album,) = client.get(f"{API}/albums").json()
    assert album["query"] == f"like:{ids['scan.tif']}#2"
