"""`sightline merge` is killed, and run again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Cli

Paint = Callable[..., list[Path]]


@pytest.mark.parametrize(
    "function",
    [
        "store.merge.merging:merge_vectors",
        "store.merge.merging:snapshot_of",
        "store.merge.merging:update_near_duplicate_groups",
    ],
)
def test_killed_merge_leaves_a_valid_library_and_continues(
    cli: Any, paint: Paint, tmp_path: Path, function: str
) -> None:
    paint(tmp_path / "here", red="red")
    paint(tmp_path / "there", blue="blue", green="green")
    other = Cli(tmp_path / "other")
    cli.index_in_process(tmp_path / "here")
    other.index_in_process(tmp_path / "there")
    other("tag", tmp_path / "there" / "blue.png", "Rome")
    before = other.vectors()
    cli.killed_at(function, 1, "merge", other.library)
    assert cli.is_intact()
    cli("merge", other.library)
    assert cli.is_intact()
    assert cli.vectors().items() >= before.items()
    assert len(cli.vectors()) == 3
    assert cli("search", "tag:rome", "--paths").stdout == bytes(tmp_path / "there" / "blue.png") + b"\n"
    assert other.vectors() == before
