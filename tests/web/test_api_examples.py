"""The commands of the documentation's page about the HTTP API, run with curl against a real server."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

from PIL import Image

from store import Library
from tests.support.tools import miss
from tests.support.web import running_server
from web import ServeSettings

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
ADDRESS = "127.0.0.1:8765"


def commands() -> list[list[str]]:
    """Return the words of each command of curl on the page."""
    lines = re.sub(r"\\\n\s+", "", PAGE.read_text(encoding="utf-8")).splitlines()
    return [shlex.split(line) for line in lines if line.startswith("    curl ")]


def test_commands_of_the_documentation_are_answered(indexed: Library, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        miss("curl", "there is no curl on the PATH")
    Image.new("RGB", (20, 10), "blue").save(tmp_path / "picture.jpg")
    found = commands()
    assert len(found) >= 9
    answers: list[Any] = []
    with running_server(indexed, ServeSettings(port=0, cache=tmp_path / "cache")) as url:
        for command in found:
            words = [word.replace(ADDRESS, url.removeprefix("http://")) for word in command]
            done = subprocess.run(
                [*words, "--fail-with-body"], cwd=tmp_path, capture_output=True, check=False, timeout=60
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            answers.append(json.loads(done.stdout) if "-o" not in command else None)
    by_address, posted, form, upload, *_ = answers
    assert by_address["query"] == posted["query"] == "a dog in the snow"
    assert len(by_address["hits"]) == 4
    assert [part["kind"] for part in form["parts"]] == ["text", "picture"]
    assert (upload["width"], upload["height"]) == (20, 10)
    with Image.open(tmp_path / "map.png") as drawn:
        assert drawn.mode == "RGBA"
