"""What every verb shares: help, errors, completion, exit codes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from cli.main import SECTIONS, VERBS
from cli.models.group import VERBS as MODELS_VERBS
from encoders.registry import MODELS
from sightline import __version__

Sightline = Callable[..., Any]
RUN = [sys.executable, "-c", "from cli.main import main; main()"]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_every_verb(sightline: Sightline, arguments: list[str]) -> None:
    answer = sightline(*arguments)
    assert (answer.code, answer.err) == (0, "")
    for verb, (_, summary) in VERBS.items():
        assert f"  {verb} " in answer.text
        assert summary.split()[0] in answer.text
    assert "Exit codes" in answer.text


def test_every_verb_stands_under_one_title() -> None:
    assert sorted(verb for verbs in SECTIONS.values() for verb in verbs) == sorted(VERBS)


def test_options_stand_under_titles(sightline: Sightline) -> None:
    from cli.help_sections import SECTIONS as TITLES
    from cli.search import search

    text = sightline("search", "--help").text
    assert [title for title in TITLES if f"\n{title}:\n" in text] == list(TITLES)
    options = [param for param in search.params if isinstance(param, click.Option)]
    assert {param.name for param in options} == {name for names in TITLES.values() for name in names}
    for option in options:
        assert text.count(f" {option.opts[-1]} ") + text.count(f" {option.opts[-1]},") >= 1, option.opts


@pytest.mark.parametrize("verb", [*VERBS, *(f"models {verb}" for verb in MODELS_VERBS)])
def test_every_verb_teaches_by_example(sightline: Sightline, verb: str) -> None:
    answer = sightline(*verb.split(), "--help")
    assert (answer.code, answer.err) == (0, "")
    _, _, examples = answer.text.partition("Examples:")
    assert f"sightline {verb}" in examples


@pytest.mark.parametrize("verb", VERBS)
def test_the_table_of_verbs_says_what_the_verbs_say(sightline: Sightline, verb: str) -> None:
    """The table is written by hand, so that help imports no verb."""
    first = VERBS[verb][1].split()[0]
    usage, _, rest = sightline(verb, "--help").text.partition("\n\n")
    assert usage.startswith(f"Usage: sightline {verb} ")
    assert rest.strip().split()[0] == first


def test_the_version(sightline: Sightline) -> None:
    assert sightline("--version").text.split() == ["sightline,", "version", __version__]


@pytest.mark.parametrize("arguments", [["serach", "red"], ["--no-such-option"], ["models", "burn"]])
def test_what_does_not_exist_is_misuse(sightline: Sightline, arguments: list[str]) -> None:
    answer = sightline(*arguments)
    assert (answer.code, answer.out) == (2, b"")
    assert "Usage:" in answer.err


def test_a_slip_of_the_pen_is_told_what_it_means(sightline: Sightline) -> None:
    assert "Did you mean search?" in sightline("serach", "red").err
    assert "Did you mean list?" in sightline("models", "lsit").err


def test_ctrl_c_is_no_traceback(sightline: Sightline, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("indexer.pipeline.embed", stopped)
    answer = sightline("index", album, "--model", "fake")
    assert (answer.code, answer.out) == (130, b"")
    assert answer.err.strip() == "Stopped. What was settled is safe; run the same command again to go on."


def test_a_fault_of_ours_is_not_nothing_found(
    sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("search.searcher.Searcher.search", fault)
    answer = sightline("search", "red")
    assert (answer.code, answer.out) == (2, b"")
    assert answer.err.splitlines()[-1] == "ZeroDivisionError"


@pytest.mark.parametrize(("words", "code"), [(["red"], 0), (["red", "--json"], 0), (["grey", "--min-score", "1"], 1)])
def test_nobody_listens(filled: Path, words: list[str], code: int) -> None:
    """As in `sightline search red >&-`: what counts is the exit code."""
    command = ["bash", "-c", 'exec "$0" "$@" >&-', *RUN, "search", *words]
    done = subprocess.run(command, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--interactive", "red"], 0), (["--queries", "-"], 1), (["red"], 0)],
)
@pytest.mark.parametrize("closed", ["<&-", "<&- 2>&-"])
def test_nobody_asks(filled: Path, arguments: list[str], code: int, closed: str) -> None:
    """As cron or a service may start us: nothing to read, and nothing ends in a traceback."""
    command = ["bash", "-c", f'exec "$0" "$@" {closed}', *RUN, "search", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.parametrize(("loaded", "frozen"), [("", "True"), ("import sys; sys.modules['torch'] = sys; ", "False")])
def test_no_garbage_is_looked_for_at_exit(loaded: str, frozen: str) -> None:
    """Python would look through all that was ever imported once more, which takes longer than many a verb."""
    hook = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 10_000)); "
    command = [sys.executable, "-c", loaded + hook + RUN[2], "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1] == frozen


def test_an_error_cannot_steer_the_terminal(sightline: Sightline, tmp_path: Path) -> None:
    answer = sightline("index", tmp_path / "\x1b[31mred")
    assert answer.code == 2
    assert "/\\x1b[31mred" in answer.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(sightline: Sightline, shell: str) -> None:
    answer = sightline("completion", shell)
    assert answer.code == 0
    assert f"_SIGHTLINE_COMPLETE={shell}_complete" in answer.text
    assert sightline("completion", "cmd").code == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("sightline s", {"search", "serve", "similar", "status"}),
        ("sightline search --s", {"--sheet", "--sort", "--space"}),
        ("sightline models ", {"list", "info", "recommend", "pull", "use", "drop"}),
    ],
)
def test_completion_completes(
    sightline: Sightline, words: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_SIGHTLINE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    assert {line.partition(",")[2] for line in sightline().lines} == expected


def test_models(sightline: Sightline) -> None:
    text = sightline("models", "list").text
    assert all(f"  {name}\n" in text for name in MODELS)
    records = sightline("models", "list", "--json").records
    assert [record["name"] for record in records if record["location"] == "built in"] == list(MODELS)
    assert {"name", "summary", "languages", "licence"} <= set(records[0])
    record = sightline("models", "info", "fake", "--json").record
    assert (record["dim"], record["input"], len(record["fingerprint"])) == (13, "8x8, squash", 64)
    assert "13" in sightline("models", "info", "fake").text
    answer = sightline("models", "info", "clop")
    assert answer.code == 2
    assert "there are: mini, fake" in answer.err


@pytest.mark.parametrize("form", [[], ["--paths"]])
def test_a_reader_that_leaves_early_is_no_failure(filled: Path, form: list[str]) -> None:
    """As in `sightline search red | head -0`."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*RUN, "search", "red", *form], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_json_is_json_whatever_the_terminal_speaks(filled: Path, album: Path) -> None:
    import json

    (album / "red.png").rename(album / "été 雪.png")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    subprocess.run([*RUN, "index", str(album)], check=True, capture_output=True, env=environment)
    done = subprocess.run(
        [*RUN, "search", "red", "-k", "1", "--json"], check=True, capture_output=True, env=environment
    )
    assert json.loads(done.stdout)["path"] == str(album / "été 雪.png")
