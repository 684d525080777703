"""`sightline models list`, `info`, `recommend` and `pull`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from encoders.model_catalog import MODEL_CATALOG
from tests.support.hub_server import Hub, Repository, serving

Sightline = Callable[..., Any]
NAME = "hf-hub:tiny/clip"


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SIGHTLINE_COMMERCIAL", raising=False)
    return tmp_path / "models"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(monkeypatch) as server:
        server.repositories["tiny/clip"] = Repository(
            {
                "open_clip_config.json": b'{"model_cfg": {"embed_dim": 8, "vision_cfg": {"image_size": 32}}}',
                "open_clip_model.safetensors": bytes(2**21),
            },
            licence="cc-by-nc-4.0",
        )
        yield server


def test_list_contains_built_in_pulled_and_recommended_models(sightline: Sightline, hub: Hub) -> None:
    records = sightline("models", "list", "--json").records
    assert [record["name"] for record in records] == ["mini", *MODEL_CATALOG]
    assert {record["location"] for record in records} == {"built in", "recommended"}
    assert {record["name"]: record["use"] for record in records}["nllb-clip-base-siglip/v1"] == "non-commercial"
    sightline("models", "pull", NAME, "--yes")
    records = sightline("models", "list", "--json").records
    (here,) = [record for record in records if record["location"] == "pulled"]
    assert (here["name"], here["dim"], here["input"], here["use"]) == (NAME, 8, 32, "non-commercial")
    text = sightline("models", "list").text
    assert text.index("Built in") < text.index("Pulled") < text.index(NAME) < text.index("Recommended")


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_list_fits_terminal_width(sightline: Sightline, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for line in sightline("models", "list").lines:
        assert len(line) <= columns or line.strip() in MODEL_CATALOG or line.startswith("Recommended")


def test_info_prints_licence_scores_and_source(sightline: Sightline) -> None:
    text = sightline("models", "info", "nllb-clip-base-siglip/v1").text
    assert "CC-BY-NC-4.0: NOT for commercial use" in text
    assert "score bn    73.3" in text
    assert "Crossmodal-3600" in text
    assert "sightline models pull nllb-clip-base-siglip/v1" in text
    record = sightline("models", "info", "BAAI/AltCLIP", "--json").record
    assert (record["use"], record["usable"], record["scores"]["zh"]) == ("unknown", False, 69.8)
    assert "FlagAI" in record["source"]


def test_info_of_interrupted_pull_names_pull_command(sightline: Sightline, hub: Hub) -> None:
    hub.cut_after, hub.dies = 1_000, True
    assert sightline("models", "pull", NAME, "--yes").code == 2
    answer = sightline("models", "info", NAME)
    assert (answer.code, answer.out) == (2, b"")
    assert f"`sightline models pull {NAME}` downloads what is missing" in answer.err


def test_dry_run_prints_size_and_licence(sightline: Sightline, hub: Hub, models: Path) -> None:
    answer = sightline("models", "pull", NAME, "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    assert "2.1 MB" in answer.lines[0]
    assert "cc-by-nc-4.0: NOT for commercial use" in answer.text
    assert hub.sent.get("open_clip_model.safetensors") is None
    assert not models.exists()


def test_pull_downloads_model(sightline: Sightline, hub: Hub, models: Path) -> None:
    answer = sightline("models", "pull", NAME, "--yes")
    folder = models / "hf-hub:tiny--clip"
    assert (answer.code, answer.lines) == (0, [f"{NAME} is complete: {folder} (2.1 MB)"])
    assert "cc-by-nc-4.0" in answer.err
    assert "Fetching open_clip_model.safetensors (2.1 MB)" in answer.err
    again = sightline("models", "pull", NAME)
    assert (again.code, again.err) == (0, "")
    assert "is already pulled" in again.text
    assert sightline("models", "pull", "mini").text == "mini is built in.\n"


def test_update_downloads_new_revision(sightline: Sightline, hub: Hub) -> None:
    sightline("models", "pull", NAME, "--yes")
    unchanged = sightline("models", "pull", NAME, "--update", "--yes")
    assert (unchanged.code, unchanged.lines) == (0, [f"{NAME} has not changed since it was pulled."])
    repository = hub.repositories["tiny/clip"]
    repository.files["open_clip_model.safetensors"], repository.commit = bytes([1]) * 2**21, "d" * 40
    assert "is already pulled" in sightline("models", "pull", NAME).text
    changed = sightline("models", "pull", NAME, "--update", "--yes")
    assert "is complete" in changed.text
    assert sightline("models", "info", NAME, "--json").record["revision"] == "d" * 40


def test_pull_without_terminal_requires_yes(sightline: Sightline, hub: Hub, models: Path) -> None:
    answer = sightline("models", "pull", NAME)
    assert answer.code == 2
    assert "Use --yes" in answer.err
    assert not models.exists()


@pytest.mark.parametrize("by", ["option", "environment"])
def test_pull_refuses_non_commercial_licence(
    sightline: Sightline, hub: Hub, models: Path, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--commercial"] if by == "option" else []
    if by == "environment":
        monkeypatch.setenv("SIGHTLINE_COMMERCIAL", "1")
    answer = sightline("models", "pull", NAME, "--yes", *options)
    assert (answer.code, answer.out) == (2, b"")
    assert "commercial use, which is required here" in answer.err
    assert not models.exists()


def test_pulled_model_can_be_refused_by_licence(sightline: Sightline, hub: Hub) -> None:
    sightline("models", "pull", NAME, "--yes")
    assert sightline("models", "pull", NAME, "--commercial").code == 2


def test_failed_pull_explains_manual_download(sightline: Sightline, hub: Hub) -> None:
    hub.spoil = {"open_clip_model.safetensors"}
    answer = sightline("models", "pull", NAME, "--yes")
    assert (answer.code, answer.out) == (2, b"")
    last = " ".join(answer.err.splitlines()[-2:])
    assert f"{hub.address}/tiny/clip/resolve/" in last
    assert "open_clip_config.json, open_clip_model.safetensors" in last
    assert f"sightline models pull {NAME} --from FOLDER" in last


def test_pull_from_folder(sightline: Sightline, tmp_path: Path, models: Path) -> None:
    folder = tmp_path / "fetched"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    answer = sightline("models", "pull", "BAAI/AltCLIP", "--from", folder)
    assert answer.code == 0
    assert (models / "BAAI--AltCLIP" / "model.safetensors").read_bytes() == b"weights"
    assert sightline("models", "info", "BAAI/AltCLIP", "--json").record["revision"] == "by hand"


def test_recommend_depends_on_memory(sightline: Sightline) -> None:
    answer = sightline("models", "recommend", "--lang", "zh", "--memory", "16GiB", "--json")
    assert answer.record["name"] in MODEL_CATALOG
    assert answer.record["memory"] == 16 * 2**30
    text = sightline("models", "recommend", "--lang", "zh", "--memory", "16 GB").text
    assert " in Chinese (" in text
    assert "sightline models pull" in text
    assert sightline("models", "recommend", "--memory", "1GB").lines[0] == "mini"
    assert sightline("models", "recommend", "--memory", "much").code == 2


def test_list_imports_no_heavy_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.imports import imported_modules

    code = "from cli.main import sightline\nsightline.main(['models', 'list'], standalone_mode=False)\n"
    found = imported_modules(code)
    assert found & {"torch", "open_clip", "transformers", "huggingface_hub", "onnxruntime", "numpy.random"} == set()


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (35_000_000, "35 MB"),
        (2_028_800_000, "2.03 GB"),
        (10**13, "10,000 GB"),
    ],
)
def test_in_units(size: int, words: str) -> None:
    from cli.output import in_units

    assert in_units(size) == words


@pytest.mark.parametrize("lang", ["xx", "deu", "Klingon"])
def test_unknown_language_code_is_an_error(sightline: Sightline, lang: str) -> None:
    answer = sightline("models", "recommend", "--lang", lang)
    assert (answer.code, answer.out) == (2, b"")
    assert f"'{lang}' is not the code of a language (ISO 639-1)" in answer.err


def test_language_can_be_a_tag(sightline: Sightline) -> None:
    arguments = ("models", "recommend", "--memory", "16GB", "--json", "--lang")
    assert sightline(*arguments, "pt-BR").record == sightline(*arguments, "pt").record
