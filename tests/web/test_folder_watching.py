"""Folders that are watched while a library is served."""

import time
from collections.abc import Callable
from pathlib import Path

from fastapi.testclient import TestClient

from store import Library
from tests.support.web import BASE_URL
from web import ServeSettings, create_app

DEADLINE_SECONDS = 90.0


def wait_until(condition: Callable[[], bool], message: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, message
        time.sleep(0.05)


def test_new_picture_is_indexed_by_a_job(
    indexed: Library, album: Path, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    settings = ServeSettings(cache=tmp_path / "cache", watch=True)
    with TestClient(create_app(indexed, settings), base_url=BASE_URL) as client:

        def finished() -> list[dict[str, object]]:
            return [job for job in client.get("/api/v1/jobs").json() if job["state"] == "done"]

        wait_until(lambda: len(finished()) == 1, "the folder was not scanned at the beginning")
        paint(album / "holiday" / "new.png", "yellow")
        wait_until(lambda: finished()[0]["summary"]["new"] == 1, "the new picture was not noticed")  # type: ignore[index]
        latest, *_, first = finished()
        assert "changed" not in first["parameters"]  # type: ignore[operator]
        changed = latest["parameters"].pop("changed")  # type: ignore[attr-defined]
        assert latest["parameters"] == {"folders": [str(album)]}
        # The new folder may be noticed before the picture in it is: all that is below it is looked at then.
        assert changed in [
            {"folders": folders, "trees": ["holiday"], "unsettled": []} for folders in ([""], ["", "holiday"])
        ]
