"""Highlights over HTTP."""

import io
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.web import picture_id


def test_highlight_returns_boxes_mask_and_overlay(client: TestClient, indexed: Library, tmp_path: Path) -> None:
    halves = Image.new("RGB", (400, 200), "blue")
    halves.paste("red", (0, 0, 200, 200))
    (tmp_path / "halves").mkdir()
    halves.save(tmp_path / "halves" / "halves.png")
    index(indexed, [tmp_path / "halves"], FakeEncoder())
    content_id = picture_id(client, "halves.png")
    found = client.get(f"/api/v1/pictures/{content_id}/highlight", params={"prompt": "red"}).json()
    left, top, width, height = found["boxes"][0]
    assert (left, top) == (0, 0)
    assert 140 <= width <= 300
    assert height == 200
    assert found["mask"]["size"] == [200, 400]
    assert 0 < found["peaks"][0][0] < 0.5
    (contour,) = found["contours"]
    assert 400 * max(x for x, _ in contour) == pytest.approx(width, abs=3)
    assert {min(y for _, y in contour), max(y for _, y in contour)} == {0, 1}
    drawn = client.get(f"/api/v1/pictures/{content_id}/highlight.png", params={"prompt": "red"})
    heat = Image.open(io.BytesIO(drawn.content))
    assert (heat.mode, heat.size) == ("RGBA", (400, 200))
    mask = Image.open(
        io.BytesIO(client.get(f"/api/v1/pictures/{content_id}/highlight.png?prompt=red&kind=mask").content)
    )
    assert mask.getpixel((20, 100))
    assert not mask.getpixel((380, 100))


def test_words_of_a_prompt_are_found_apart(client: TestClient, indexed: Library, tmp_path: Path) -> None:
    halves = Image.new("RGB", (400, 200), "blue")
    halves.paste("red", (0, 0, 200, 200))
    (tmp_path / "halves").mkdir()
    halves.save(tmp_path / "halves" / "halves.png")
    index(indexed, [tmp_path / "halves"], FakeEncoder())
    path = f"/api/v1/pictures/{picture_id(client, 'halves.png')}/highlight/words"
    found = client.get(path, params={"prompt": "the red and the blue"}).json()
    red, blue = found["words"]
    assert [(word["text"], word["start"]) for word in (red, blue)] == [("red", 4), ("blue", 16)]
    assert red["peaks"][0][0] < 0.5 < blue["peaks"][0][0]
    assert max(x for x, _ in red["contours"][0]) == pytest.approx(0.5, abs=0.2)
    assert client.get(path, params={"prompt": "the of"}).json()["words"] == []


@pytest.mark.parametrize("prompt", ["", " ", "x" * 501])
def test_highlight_rejects_empty_and_long_prompts(client: TestClient, prompt: str) -> None:
    assert client.get("/api/v1/pictures/1/highlight", params={"prompt": prompt}).status_code in {400, 422}


def test_highlight_of_unknown_picture_is_not_found(client: TestClient) -> None:
    for what in ("highlight", "highlight.png", "highlight/words"):
        assert client.get(f"/api/v1/pictures/12345/{what}", params={"prompt": "red"}).status_code == 404
