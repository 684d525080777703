"""Help, errors, completion and exit codes of all verbs."""

import atexit
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from cli.commands.models import MODEL_VERBS
from cli.main import (
    FIRST_COLLECTION,
    LATER_COLLECTIONS,
    SECTIONS,
    VERBS,
    _collect_more_often,
    _relax_garbage_collection,
    _skip_final_collection,
)
from encoders.model_catalog import BUILT_IN_MODELS, TEST_DOUBLE
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


def test_every_verb_is_in_one_section() -> None:
    assert sorted(verb for verbs in SECTIONS.values() for verb in verbs) == sorted(VERBS)


def test_search_help_groups_all_options(sightline: Sightline) -> None:
    from cli.command_types import OPTION_SECTIONS
    from cli.commands.search import search

    text = sightline("search", "--help").text
    assert [title for title in OPTION_SECTIONS if f"\n{title}:\n" in text] == list(OPTION_SECTIONS)
    options = [param for param in search.params if isinstance(param, click.Option)]
    assert {param.name for param in options} == {name for names in OPTION_SECTIONS.values() for name in names}
    for option in options:
        assert text.count(f" {option.opts[-1]} ") + text.count(f" {option.opts[-1]},") >= 1, option.opts


@pytest.mark.parametrize("verb", ["facets", "eval", "index"])
def test_help_in_sections_leaves_out_no_option(sightline: Sightline, verb: str) -> None:
    """Options without a section would stand under "Other", apart from those that belong to them."""
    _, _, other = sightline(verb, "--help").text.partition("\nOther:\n")
    assert [line.split()[0] for line in other.partition("\n\n")[0].splitlines()] == ["-h,"]


@pytest.mark.parametrize("group", ["album", "jobs", "models"])
def test_summaries_in_groups_are_not_cut(sightline: Sightline, group: str) -> None:
    _, _, commands = sightline(group, "--help").text.partition("\nCommands:\n")
    for line in commands.partition("\n\n")[0].splitlines():
        assert line.endswith("."), line
        assert not line.endswith("..."), line


def test_no_message_calls_a_number_a_range(sightline: Sightline) -> None:
    assert "'few' is not a valid integer.\n" in sightline("search", "dog", "-k", "few").err
    assert "'high' is not a valid number.\n" in sightline("search", "dog", "--min-score", "high").err
    assert "RANGE" not in sightline("search", "--help").text


@pytest.mark.parametrize("verb", VERBS)
def test_defaults_follow_the_sentence(sightline: Sightline, verb: str) -> None:
    text = " ".join(sightline(verb, "--help").text.split())
    for before, after in zip(text.split("[default:")[:-1], text.split("[default:")[1:], strict=True):
        assert before.rstrip().endswith((".", ")")), before[-60:]
        assert not after.partition("]")[2].startswith("."), after[:60]


@pytest.mark.parametrize("verb", [*VERBS, *(f"models {verb}" for verb in MODEL_VERBS)])
def test_help_of_every_verb_has_examples(sightline: Sightline, verb: str) -> None:
    answer = sightline(*verb.split(), "--help")
    assert (answer.code, answer.err) == (0, "")
    _, _, examples = answer.text.partition("Examples:")
    assert f"sightline {verb}" in examples


@pytest.mark.parametrize("verb", VERBS)
def test_summaries_agree_with_help_of_verbs(sightline: Sightline, verb: str) -> None:
    """The table in `cli.main` is written by hand, since the help imports no verbs."""
    first = VERBS[verb][1].split()[0]
    usage, _, rest = sightline(verb, "--help").text.partition("\n\n")
    assert usage.startswith(f"Usage: sightline {verb} ")
    assert rest.strip().split()[0] == first


def test_version(sightline: Sightline) -> None:
    assert sightline("--version").text.split() == ["sightline,", "version", __version__]


@pytest.mark.parametrize("arguments", [["serach", "red"], ["--no-such-option"], ["models", "burn"]])
def test_unknown_command_or_option_exits_with_2(sightline: Sightline, arguments: list[str]) -> None:
    answer = sightline(*arguments)
    assert (answer.code, answer.out) == (2, b"")
    assert "Usage:" in answer.err


def test_unknown_command_suggests_similar_one(sightline: Sightline) -> None:
    assert "Did you mean search?" in sightline("serach", "red").err
    assert "Did you mean list?" in sightline("models", "lsit").err


def test_ctrl_c_exits_with_130(sightline: Sightline, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("indexer.batching.embed", stopped)
    answer = sightline("index", album, "--model", "fake")
    assert (answer.code, answer.out) == (130, b"")
    assert answer.err.strip() == "Stopped. Finished work is saved; run the same command again to continue."


def test_bug_exits_with_2_and_traceback(sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("search.searcher.Searcher.search", fault)
    answer = sightline("search", "red")
    assert (answer.code, answer.out) == (2, b"")
    assert answer.err.splitlines()[-1] == "ZeroDivisionError"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["red"], 0, b""),
        (["red", "--json"], 0, b""),
        (["grey", "--min-score", "1"], 1, b"sightline: nothing was found with --min-score\n"),
    ],
)
def test_closed_stdout_keeps_exit_code(filled: Path, words: list[str], code: int, message: bytes) -> None:
    """`sightline search red >&-` is run for its exit code."""
    command = ["bash", "-c", 'exec "$0" "$@" >&-', *RUN, "search", *words]
    done = subprocess.run(command, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (code, message)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--interactive", "red"], 0), (["--queries", "-"], 1), (["red"], 0)],
)
@pytest.mark.parametrize("closed", ["<&-", "<&- 2>&-"])
def test_closed_stdin_causes_no_traceback(filled: Path, arguments: list[str], code: int, closed: str) -> None:
    """Cron or a service may start the command without standard input."""
    command = ["bash", "-c", f'exec "$0" "$@" {closed}', *RUN, "search", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.parametrize("words", [["search", "-k", "0"], ["search", "red", "--library", "none"]])
def test_failure_exits_with_2_if_its_message_cannot_be_read(words: list[str], tmp_path: Path) -> None:
    """`sightline search -k 0 2>&1 | head -1` closes the pipe early; 1 would mean that nothing was found."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert subprocess.run([*RUN, *words], stderr=writing, cwd=tmp_path, check=False).returncode == 2
    finally:
        os.close(writing)


def test_help_of_all_verbs_ends_quietly_if_it_is_not_read() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(RUN, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_file_that_cannot_be_written_is_reported_as_all_errors_are(
    sightline: Sightline, filled: Path, tmp_path: Path
) -> None:
    answer = sightline("search", "red", "--csv", tmp_path / "none" / "\x1b[31m.csv")
    assert answer.code == 2
    assert answer.err == f"sightline: Cannot write {tmp_path}/none/\\x1b[31m.csv: No such file or directory\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tags"], "there are no tags"),
        (["album", "list"], "there are no albums"),
        (["jobs", "list"], "there are no jobs"),
        (["distinct"], "no pictures are recorded as distinct"),
        (["duplicates"], "no near-duplicates were found"),
        (["backup", "--list", "--to", "."], "there are no snapshots in "),
    ],
)
def test_empty_lists_are_reported(sightline: Sightline, filled: Path, words: list[str], message: str) -> None:
    """Exit code 1 without a word would look like a failure."""
    answer = sightline(*words)
    assert (answer.code, answer.out) == (1, b"")
    assert answer.err.startswith(f"sightline: {message}")


@pytest.mark.parametrize(("loaded", "frozen"), [("", "True"), ("import sys; sys.modules['torch'] = sys; ", "False")])
def test_garbage_collection_is_skipped_at_exit(loaded: str, frozen: str) -> None:
    """A collection of all imported modules at exit takes longer than many verbs."""
    hook = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 10_000)); "
    command = [sys.executable, "-c", loaded + hook + RUN[2], "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1] == frozen


def test_garbage_is_collected_more_often_after_a_short_run() -> None:
    before = gc.get_threshold()
    try:
        _relax_garbage_collection()
        assert gc.get_threshold()[0] == FIRST_COLLECTION
        gc.collect()
        assert gc.get_threshold()[0] == LATER_COLLECTIONS
        gc.collect()
        assert _collect_more_often not in gc.callbacks
    finally:
        gc.set_threshold(*before)
        atexit.unregister(_skip_final_collection)


def test_errors_escape_control_characters(sightline: Sightline, tmp_path: Path) -> None:
    answer = sightline("index", tmp_path / "\x1b[31mred")
    assert answer.code == 2
    assert "/\\x1b[31mred" in answer.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_script(sightline: Sightline, shell: str) -> None:
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
def test_completion_suggests_verbs_and_options(
    sightline: Sightline, words: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_SIGHTLINE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    assert {line.partition(",")[2] for line in sightline().lines} == expected


def test_models_list_and_info(sightline: Sightline) -> None:
    text = sightline("models", "list").text
    assert "  mini\n" in text
    assert TEST_DOUBLE in BUILT_IN_MODELS
    assert f"  {TEST_DOUBLE}\n" not in text
    records = sightline("models", "list", "--json").records
    assert [record["name"] for record in records if record["location"] == "built in"] == ["mini"]
    assert {"name", "summary", "languages", "licence"} <= set(records[0])
    record = sightline("models", "info", "fake", "--json").record
    assert (record["dim"], record["input"], len(record["fingerprint"])) == (13, "8x8, squash", 64)
    assert "13" in sightline("models", "info", "fake").text
    answer = sightline("models", "info", "clop")
    assert answer.code == 2
    assert "Choose from: mini, ViT-B-32/" in answer.err


@pytest.mark.parametrize("name", ["./my-clip", "ViT-B-32:./epoch_30.pt", "~/epoch_30.pt"])
def test_model_info_names_the_path_that_does_not_exist(sightline: Sightline, tmp_path: Path, name: str) -> None:
    answer = sightline("models", "info", name)
    assert (answer.code, "which does not exist" in answer.err, "Choose from" in answer.err) == (2, True, False)
    weights = tmp_path / "weights.pt"
    weights.touch()
    assert f"write it as ViT-B-32:{weights}" in sightline("models", "info", weights).err


@pytest.mark.parametrize("form", [[], ["--paths"]])
def test_broken_pipe_exits_with_0(filled: Path, form: list[str]) -> None:
    """`sightline search red | head -0` is no failure."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*RUN, "search", "red", *form], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_json_is_valid_in_ascii_terminal(filled: Path, album: Path) -> None:
    import json

    (album / "red.png").rename(album / "été 雪.png")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    subprocess.run([*RUN, "index", str(album)], check=True, capture_output=True, env=environment)
    done = subprocess.run(
        [*RUN, "search", "red", "-k", "1", "--json"], check=True, capture_output=True, env=environment
    )
    assert json.loads(done.stdout)["path"] == str(album / "été 雪.png")
