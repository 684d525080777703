"""The order of the recipe's steps, and which are skipped."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from training.recipe import Step, follow, steps


def test_every_training_step_is_a_module(tmp_path: Path) -> None:
    names = [step.module for step in steps(tmp_path, tmp_path)]
    assert names[0] == "prepare"
    assert names[-1] == "calibrate"
    assert all(find_spec(f"training.{name}") for name in names)


def test_finished_steps_are_skipped(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.touch()
    ran: list[list[str]] = []
    follow(iter([Step("one", ("--a", "1")), Step("two", (), made), Step("three", (), tmp_path / "not")]), ran.append)
    assert ran == [[sys.executable, "-m", "training.one", "--a", "1"], [sys.executable, "-m", "training.three"]]


def test_steps_that_fill_rows_are_never_skipped(tmp_path: Path) -> None:
    for name in ("prepared", "maps192"):
        (tmp_path / name / "extra").mkdir(parents=True)
        (tmp_path / name / "extra" / "names.json").write_text("[]")  # of a run with --limit
    ran: list[list[str]] = []
    follow(steps(tmp_path, tmp_path), ran.append)
    assert {"training.prepare", "training.cache_maps", "training.cache_means"} <= {command[2] for command in ran}


def test_limited_recipe_leaves_the_shipped_files_alone(tmp_path: Path) -> None:
    todo = {step.module: step.arguments for step in steps(tmp_path, tmp_path, limit=40)}
    assert todo["prepare"][-4:] == ("--limit", "40", "--scenes", "40")
    assert todo["train"][-2:] == todo["train_patches"][-2:] == ("--steps", "2")
    assert todo["distil"][-2:] == ("--steps", "2")
    assert todo["export"][-2:] == ("--out", str(tmp_path / "v3"))
    assert todo["export"][:2] == ("--weights", str(tmp_path / "distilled" / "weights.pt"))
    assert ("--weights", str(tmp_path / "v3")) == todo["calibrate"][-2:]
    assert ("--weights", str(tmp_path / "v3"), "--limit", "40") == todo["translations"][-4:]
    assert ("--work", str(tmp_path / "calibration")) == todo["calibrate"][2:4]
    full = {step.module: step.arguments for step in steps(tmp_path, tmp_path)}
    assert all("--limit" not in arguments and "--steps" not in arguments for arguments in full.values())
    assert "--weights" not in full["calibrate"]


def test_an_error_stops_the_run() -> None:
    ran: list[list[str]] = []

    def run(command: list[str]) -> None:
        ran.append(command)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        follow(iter([Step("one", ()), Step("two", ())]), run)
    assert len(ran) == 1
