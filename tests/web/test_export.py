"""Exports as lists and archives."""

import csv
import io
import json
import zipfile
from pathlib import Path

from fastapi.testclient import TestClient
from PIL import Image

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.web import picture_id


def test_csv_export_escapes_formulas(client: TestClient, indexed: Library, tmp_path: Path) -> None:
    folder = tmp_path / "cards"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0110] = "=HYPERLINK(1)"
    Image.new("RGB", (9, 9), "cyan").save(folder / "a.jpg", exif=exif)
    index(indexed, [folder], FakeEncoder())
    picture = picture_id(client, "a.jpg")
    rows = client.post("/api/v1/export", json={"pictures": [picture], "format": "csv"}).text
    (row,) = csv.DictReader(io.StringIO(rows))
    assert (row["camera"], row["lens"]) == ("'=HYPERLINK(1)", "")


def test_csv_may_begin_with_a_byte_order_mark(client: TestClient) -> None:
    request = {"pictures": [picture_id(client, "red.png")], "format": "csv"}
    plain = client.post("/api/v1/export", json=request).content
    assert client.post("/api/v1/export", json={**request, "bom": True}).content == b"\xef\xbb\xbf" + plain
    refused = client.post("/api/v1/export", json={**request, "format": "paths", "bom": True})
    assert (refused.status_code, "`bom` applies to the format csv" in refused.text) == (400, True)


def test_export_keeps_the_given_order(client: TestClient, album: Path) -> None:
    ids = [picture_id(client, name) for name in ("yellow.png", "red.png")]
    wanted = [str(album / "more" / "yellow.png"), str(album / "red.png")]

    def export(form: str) -> bytes:
        answer = client.post("/api/v1/export", json={"pictures": [*ids, 12345], "format": form})
        assert "attachment" in answer.headers["content-disposition"]
        return answer.content

    assert export("paths").decode().splitlines() == wanted
    assert [json.loads(line)["path"] for line in export("json").decode().splitlines()] == wanted
    assert [row["path"] for row in csv.DictReader(io.StringIO(export("csv").decode()))] == wanted
    archive = zipfile.ZipFile(io.BytesIO(export("zip")))
    assert archive.namelist() == ["0001_yellow.png", "0002_red.png"]
    assert archive.read("0002_red.png") == (album / "red.png").read_bytes()
    assert client.post("/api/v1/export", json={"pictures": [12345], "format": "csv"}).status_code == 404
