"""Pulling a model from a hub into one folder, completely or not at all."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.errors import DownloadFailed, ExtraMissing, ModelUnavailable, UnknownModel
from encoders import registry
from encoders.hub import make_plan, model_folder, pull, pulled_models, read_manifest, resolve
from encoders.hub.manifest import MANIFEST
from encoders.hub.plan import open_clip_config
from tests.encoders.hub.conftest import CONFIG, NAME
from tests.support.hub_server import COMMIT, Hub, Repository

WEIGHTS = "open_clip_model.safetensors"


class Watching:
    """Records the progress of a download."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.bytes = 0
        self.waited = threading.Event()

    def waiting(self) -> None:
        self.waited.set()

    def begin(self, file: str, size: int) -> None:  # noqa: ARG002 (as the protocol has it)
        self.files.append(file)

    def advance(self, count: int) -> None:
        self.bytes += count


def fetch(name: str = NAME) -> Path:
    plan = make_plan(resolve(name))
    pull(plan, Watching())
    return plan.folder


def test_pull_downloads_exactly_the_files_of_the_model(hub: Hub, models: Path) -> None:
    plan = make_plan(resolve(NAME))
    watching = Watching()
    manifest = pull(plan, watching)
    files = hub.repositories["tiny/clip"].files
    folder = models / "hf-hub:tiny--clip"
    wanted = {"open_clip_config.json", WEIGHTS, "tokenizer.json", "README.md", "LICENSE"}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*")} == {*wanted, MANIFEST}
    assert all((folder / name).read_bytes() == files[name] for name in wanted)
    assert set(watching.files) == wanted
    assert watching.bytes == plan.size == manifest.size == sum(len(files[name]) for name in wanted)
    assert (manifest.name, manifest.repository, manifest.revision, manifest.licence) == (
        NAME,
        "tiny/clip",
        COMMIT,
        "mit",
    )
    by_path = {file.path: file.sha256 for file in manifest.files}
    assert by_path == {name: hashlib.sha256(files[name]).hexdigest() for name in wanted}
    assert list(pulled_models()) == [manifest]
    assert json.loads((folder / MANIFEST).read_text())["revision"] == COMMIT


def test_a_complete_model_is_not_downloaded_again(hub: Hub) -> None:
    folder = fetch()
    asked = len(hub.asked)
    watching = Watching()
    assert pull(make_plan(resolve(NAME)), watching) == read_manifest(folder)
    assert watching.files == []
    assert len(hub.asked) == asked + 1  # the configuration, to make the plan


def test_a_broken_connection_resumes_by_itself(hub: Hub) -> None:
    hub.cut_after = 100_000
    folder = fetch()
    asked = [asked for name, asked in hub.asked if name.endswith(WEIGHTS)]
    assert asked == [None, "bytes=100000-"]
    assert hub.sent[WEIGHTS] == 300_000
    assert (folder / WEIGHTS).read_bytes() == hub.repositories["tiny/clip"].files[WEIGHTS]


def test_the_next_pull_resumes_a_failed_one(hub: Hub) -> None:
    hub.cut_after, hub.dies = 30_000, True
    with pytest.raises(DownloadFailed, match="try again"):
        fetch()
    assert read_manifest(model_folder(NAME)) is None
    assert list(pulled_models()) == []
    assert hub.sent[WEIGHTS] == 30_000
    hub.cut_after = None
    folder = fetch()
    assert hub.sent[WEIGHTS] == 300_000
    assert (folder / WEIGHTS).read_bytes() == hub.repositories["tiny/clip"].files[WEIGHTS]
    assert not (folder / ".partial").exists()


def test_a_server_without_ranges_sends_the_whole_file_again(hub: Hub) -> None:
    hub.cut_after, hub.ignores_ranges = 100_000, True
    folder = fetch()
    assert hub.sent[WEIGHTS] == 400_000
    assert (folder / WEIGHTS).read_bytes() == hub.repositories["tiny/clip"].files[WEIGHTS]


@pytest.mark.parametrize("file", [WEIGHTS, "tokenizer.json"])
def test_a_file_with_a_wrong_hash_is_refused(hub: Hub, file: str) -> None:
    """The hash is that of LFS or of git."""
    hub.spoil = {file}
    with pytest.raises(DownloadFailed, match=f"{file} was damaged during the download") as caught:
        fetch()
    assert "By hand: download from" in caught.value.remedy
    folder = model_folder(NAME)
    assert read_manifest(folder) is None
    assert not (folder / file).exists()
    assert list((folder / ".partial").iterdir()) == []
    hub.spoil = set()
    assert read_manifest(fetch()) is not None


def test_a_damaged_partial_file_is_downloaded_again(hub: Hub) -> None:
    """As after a power cut: the file has its length, but ends with zeros."""
    content = hub.repositories["tiny/clip"].files[WEIGHTS]
    partial = model_folder(NAME) / ".partial"
    partial.mkdir(parents=True)
    (partial / hashlib.sha256(content).hexdigest()).write_bytes(content[:1_000] + bytes(1_000))
    assert (fetch() / WEIGHTS).read_bytes() == content


def test_a_file_of_an_older_version_is_replaced(hub: Hub) -> None:
    folder = fetch()
    (folder / MANIFEST).unlink()
    (folder / WEIGHTS).write_bytes(bytes(300_000))
    fetch()
    assert (folder / WEIGHTS).read_bytes() == hub.repositories["tiny/clip"].files[WEIGHTS]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "RepoNotFound", "no repository tiny/clip that you may see"),
        (401, "RepoNotFound", "no repository tiny/clip that you may see"),
        (401, "GatedRepo", "only available after you accept its terms.*HF_TOKEN"),
        (403, "GatedRepo", "only available after you accept its terms"),
        (404, "RevisionNotFound", "no such revision"),
        (500, "", "status 500"),
    ],
)
def test_an_inaccessible_repository_is_reported(hub: Hub, status: int, code: str, words: str) -> None:
    hub.repositories["tiny/clip"] = Repository({}, status=status, code=code)
    with pytest.raises(DownloadFailed, match=words):
        fetch()
    assert not model_folder(NAME).exists()


def test_a_missing_file_is_reported(hub: Hub) -> None:
    hub.gone = {WEIGHTS}
    with pytest.raises(DownloadFailed, match="a file is gone from tiny/clip"):
        fetch()
    assert read_manifest(model_folder(NAME)) is None


def test_a_repository_without_weights_is_refused(hub: Hub) -> None:
    hub.repositories["tiny/clip"] = Repository({"config.json": b"{}", "flax_model.msgpack": b"x"})
    with pytest.raises(DownloadFailed, match="no weights in a known format"):
        fetch()


def test_an_unreachable_hub_is_reported_with_instructions(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadFailed, match=r"cannot reach http://127\.0\.0\.1:9") as caught:
        fetch()
    assert "http://127.0.0.1:9/tiny/clip/tree/main" in caught.value.remedy
    assert caught.value.by_hand


def test_offline_mode_makes_no_requests(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.utils._http as http

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    http.close_session()
    try:
        with pytest.raises(DownloadFailed, match="HF_HUB_OFFLINE forbids"):
            fetch()
    finally:
        monkeypatch.undo()
        http.close_session()
    assert hub.asked == []


def test_a_full_disk_is_reported_before_the_download(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    with pytest.raises(DownloadFailed, match=r"needs 0\.1 GB, and the disk of .* has 0\.0 GB left"):
        fetch()
    assert WEIGHTS not in hub.sent


def test_an_unwritable_models_folder_is_reported(hub: Hub, models: Path) -> None:
    models.write_text("a file")
    with pytest.raises(DownloadFailed, match="SIGHTLINE_MODELS can name another folder"):
        fetch()


def test_requests_send_no_telemetry(hub: Hub) -> None:
    fetch()
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert {agent.partition("/")[0] for agent in hub.agents} == {"sightline"}
    assert all(";" not in agent for agent in hub.agents)


def test_pull_includes_the_tokenizer_of_another_repository(hub: Hub) -> None:
    config = {"model_cfg": {"text_cfg": {"hf_model_name": "tiny/xlm", "hf_tokenizer_name": "tiny/xlm"}}}
    model = hub.repositories["tiny/clip"].files
    model["open_clip_config.json"] = json.dumps(config).encode()
    hub.repositories["tiny/xlm"] = Repository(
        {
            "config.json": b'{"model_type": "xlm-roberta"}',
            "tokenizer.json": b"{}",
            "sentencepiece.bpe.model": b"pieces",
            "model.safetensors": os.urandom(1_000_000),
            "README.md": b"# xlm",
        },
        licence="cc-by-nc-4.0",
        lfs={"sentencepiece.bpe.model"},
    )
    plan = make_plan(resolve(NAME))
    assert plan.licences == ("mit", "cc-by-nc-4.0")
    manifest = pull(plan, Watching())
    assert manifest.licence == "mit and cc-by-nc-4.0"
    names = {path.name for path in (plan.folder / "tokenizer").iterdir()}
    assert names == {"config.json", "tokenizer.json", "sentencepiece.bpe.model"}


def test_a_tokenizer_in_the_repository_is_not_downloaded_from_another(hub: Hub) -> None:
    config = {**CONFIG, "model_cfg": {"text_cfg": {"hf_tokenizer_name": "tiny/elsewhere"}}}
    hub.repositories["tiny/clip"].files["open_clip_config.json"] = json.dumps(config).encode()
    assert not (fetch() / "tokenizer").exists()


def test_pull_downloads_all_shards(hub: Hub) -> None:
    shards = {f"model-0000{n}-of-00002.safetensors": os.urandom(10) for n in (1, 2)}
    hub.repositories["tiny/clip"] = Repository({"config.json": b"{}", "model.safetensors.index.json": b"{}", **shards})
    assert {path.name for path in fetch().iterdir()} == {
        "config.json", "model.safetensors.index.json", *shards, MANIFEST,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["model-1/../../../of-of-1.safetensors", "/model-1-of-1.safetensors"])
def test_file_names_cannot_leave_the_folder(hub: Hub, models: Path, name: str) -> None:
    hub.repositories["tiny/clip"] = Repository({"model.safetensors.index.json": b"{}", name: b"evil"})
    folder = fetch()
    assert {path.name for path in models.iterdir()} == {folder.name, f".{folder.name}.lock"}
    assert {path.name for path in folder.iterdir()} == {"model.safetensors.index.json", MANIFEST}


def test_open_clip_pickles_win_over_transformers_safetensors(hub: Hub) -> None:
    del hub.repositories["tiny/clip"].files[WEIGHTS]
    names = {path.name for path in fetch().iterdir()}
    assert "open_clip_pytorch_model.bin" in names  # not model.safetensors, which is of another dialect
    assert "model.safetensors" not in names


def test_a_killed_pull_resumes(hub: Hub, tmp_path: Path) -> None:
    """`kill -9` during the download of the weights; another process continues."""
    content = os.urandom(40_000_000)
    hub.repositories["tiny/clip"].files[WEIGHTS] = content
    code = (
        "from encoders.hub import *\n"
        "class Slow:\n"
        "    def waiting(self): pass\n"
        "    def begin(self, file, size): pass\n"
        "    def advance(self, count): __import__('time').sleep(0.2 if count > 1e6 else 0)\n"
        f"pull(make_plan(resolve({NAME!r})), Slow())"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    draft = model_folder(NAME) / ".partial" / hashlib.sha256(content).hexdigest()
    for _ in range(1_000):
        if draft.exists() and draft.stat().st_size > 0:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = draft.stat().st_size
    assert 0 < there < len(content)
    assert read_manifest(model_folder(NAME)) is None
    hub.asked.clear()
    folder = fetch()
    assert [asked for name, asked in hub.asked if name.endswith(WEIGHTS)] == [f"bytes={there}-"]
    assert (folder / WEIGHTS).read_bytes() == content


def test_an_update_downloads_only_changed_files(hub: Hub) -> None:
    folder = fetch()
    before = read_manifest(folder)
    assert before is not None
    watching = Watching()
    assert pull(make_plan(resolve(NAME)), watching, update=True) == before  # nothing has changed
    repository = hub.repositories["tiny/clip"]
    repository.files[WEIGHTS] = os.urandom(300_000)
    del repository.files["LICENSE"]
    repository.commit = "d" * 40
    assert pull(make_plan(resolve(NAME)), watching) == before  # without `update`
    assert watching.files == []
    after = pull(make_plan(resolve(NAME)), watching, update=True)
    assert watching.files == [WEIGHTS]
    assert (folder / WEIGHTS).read_bytes() == repository.files[WEIGHTS]
    assert not (folder / "LICENSE").exists()
    assert after == read_manifest(folder)
    assert after.revision == "d" * 40


def test_an_interrupted_update_leaves_no_usable_model(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of one version must not be loaded with the configuration of another."""
    folder = fetch()
    repository = hub.repositories["tiny/clip"]
    repository.files |= {"tokenizer.json": b'{"vocab": []}', WEIGHTS: os.urandom(300_000)}
    repository.commit = "d" * 40
    monkeypatch.setattr(hub, "cut_after", 100_000)
    monkeypatch.setattr(hub, "dies", True)
    with pytest.raises(DownloadFailed):
        pull(make_plan(resolve(NAME)), Watching(), update=True)
    assert read_manifest(folder) is None
    with pytest.raises(ModelUnavailable, match="needs all of its files, but some are missing"):
        registry.load(NAME)
    hub.cut_after, hub.dies = None, False
    assert pull(make_plan(resolve(NAME)), Watching()).revision == "d" * 40


def test_two_pulls_wait_for_each_other(hub: Hub) -> None:
    plan = make_plan(resolve(NAME))
    second = Watching()
    other = threading.Thread(target=pull, args=(plan, second))

    class First(Watching):
        def begin(self, file: str, size: int) -> None:
            super().begin(file, size)
            if not other.is_alive() and len(self.files) == 1:
                other.start()
                assert second.waited.wait(60)

    first = First()
    pull(plan, first)
    other.join()
    assert second.files == []
    assert hub.sent[WEIGHTS] == 300_000


def test_a_manifest_that_does_not_match_its_files_is_ignored(hub: Hub) -> None:
    folder = fetch()
    (folder / WEIGHTS).write_bytes(b"short")
    assert read_manifest(folder) is None
    (folder / MANIFEST).write_text("[]")
    assert read_manifest(folder) is None


@pytest.mark.parametrize("name", ["mini", "", "/etc/passwd", "a/b/c", "hf-hub:", "hf-hub:x"])
def test_invalid_hub_names_are_refused(name: str) -> None:
    with pytest.raises(UnknownModel):
        resolve(name)


def test_open_clip_names_resolve_to_repositories() -> None:
    pytest.importorskip("open_clip")
    source = resolve("ViT-B-32/laion2b_s34b_b79k")
    assert source.repository == "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
    assert source.weights is None
    described = json.loads(open_clip_config(source) or b"")
    assert described["model_cfg"]["embed_dim"] == 512
    assert described["preprocess_cfg"]["interpolation"] == "bicubic"
    assert open_clip_config(resolve(NAME)) is None
    assert not described["model_cfg"].get("quick_gelu")
    # open_clip has the activation with the weights, not with the architecture, and warns where the two differ.
    assert json.loads(open_clip_config(resolve("ViT-B-32/openai")) or b"")["model_cfg"]["quick_gelu"]
    assert resolve("ViTamin-S/datacomp1b").weights == "pytorch_model.bin"
    with pytest.raises(UnknownModel, match="ViT-B-32/openai"):
        resolve("ViT-B-32/laion3b")


def test_catalog_repositories_equal_those_of_open_clip() -> None:
    open_clip = pytest.importorskip("open_clip")
    from encoders.model_catalog import MODEL_CATALOG

    for name, model in MODEL_CATALOG.items():
        architecture, _, tag = name.partition("/")
        known = open_clip.get_pretrained_cfg(architecture, tag)
        assert known.get("hf_hub", f"{name}/") == f"{model.repository}/"
        assert bool(known) == model.is_open_clip


def test_a_missing_configuration_is_generated_by_open_clip(hub: Hub) -> None:
    pytest.importorskip("open_clip")
    name = "ViT-B-32/laion2b_s34b_b79k"
    repository = hub.repositories.pop("tiny/clip")
    del repository.files["open_clip_config.json"]
    hub.repositories["laion/CLIP-ViT-B-32-laion2B-s34B-b79K"] = repository
    folder = fetch(name)
    assert folder.name == "ViT-B-32--laion2b_s34b_b79k"
    assert json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]["embed_dim"] == 512
    assert "open_clip_config.json" in {file.path for file in (read_manifest(folder) or pytest.fail()).files}


def test_weights_outside_the_hub_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    open_clip = pytest.importorskip("open_clip")
    monkeypatch.setattr(open_clip, "get_pretrained_cfg", lambda *_: {"url": "https://example.org/w.pt"})
    with pytest.raises(DownloadFailed, match=r"not on the hub\. Download https://example\.org/w\.pt yourself"):
        resolve("ViT-B-32/openai")


def test_hub_names_resolve_without_open_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    assert resolve("BAAI/AltCLIP").repository == "BAAI/AltCLIP"
    assert resolve("hf-hub:org/name@v2").revision == "v2"
    with pytest.raises(ExtraMissing):
        resolve("ViT-B-32/openai")
