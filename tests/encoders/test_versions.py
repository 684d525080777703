"""Several versions of one model: names, the version of a space, and newer versions."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import PluginError, UnknownModel, WeightsChanged
from core.space import Space
from encoders import registry
from encoders.fake import FakeEncoder
from encoders.mini.encoder import VERSIONS, MiniEncoder
from encoders.mini.tokenizer import BOS
from encoders.model_info import describe_model
from tests.support.distributions import install_plugin
from tests.support.versions import NEWER, install_newer_mini

OLD = MiniEncoder(VERSIONS[0]).space
MINI_2 = Path(registry.__file__).parent / "mini" / "v2"

PAINT = """
from core.space import weights_of_version
from encoders.fake import FakeEncoder


class Paint(FakeEncoder):
    def __init__(self, version="2", placement=None):
        super().__init__()
        self.placement = placement
        self.space = type(self.space)("paint", weights_of_version(version, "abc"), 13, self.space.preprocessing)

    @classmethod
    def versions(cls, placement):
        return [cls("2", placement), cls("1", placement)]


class Misnamed(Paint):
    @classmethod
    def versions(cls):
        return [FakeEncoder()]
"""


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    """The space of a newer version of `mini`."""
    return MiniEncoder(install_newer_mini(tmp_path / "mini", monkeypatch)).space


def test_fingerprint_of_mini_2_is_the_one_of_existing_libraries() -> None:
    space = MiniEncoder(MINI_2).space
    assert space.fingerprint == "38159366914bc39d6111c143ddd14d6724555fdc73092a46e5f4391501f993a8"
    assert (space.model, space.version, space.name, space.title) == ("mini", "2", "mini@2", "mini 2")


def test_a_name_without_a_version_loads_the_newest(newer: Space) -> None:
    assert registry.load("mini").space == newer != OLD
    assert registry.load(f"mini@{NEWER}").space == registry.load(f"mini {NEWER}").space == newer
    assert registry.load(OLD.name).space == registry.load(OLD.title).space == OLD
    assert [encoder.space for encoder in registry.installed_versions("mini")][:2] == [newer, OLD]


@pytest.mark.parametrize("name", ["mini@98", "mini 98", "fake@1"])
def test_an_unknown_version_lists_the_known_ones(newer: Space, name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        registry.load(name)
    assert caught.value.name == name.replace(" ", "@")
    known = [encoder.space.name for encoder in registry.installed_versions(name[:4])]
    assert caught.value.known == tuple(known)


def test_a_space_gets_the_version_that_has_its_weights(newer: Space) -> None:
    assert registry.load_for_space(OLD).space == OLD
    assert registry.load_for_space(newer).space == newer
    with pytest.raises(WeightsChanged) as caught:
        registry.load_for_space(replace(OLD, weights="of mini 1"))
    assert f"embedded by mini ({replace(OLD, weights='of mini 1').fingerprint[:12]})" in str(caught.value)
    assert str(newer) in str(caught.value)


def test_a_library_keeps_its_version_of_the_chosen_model(newer: Space) -> None:
    assert registry.load_for_indexing(None, None).space == newer
    assert registry.load_for_indexing("mini", None).space == newer
    assert registry.load_for_indexing(None, OLD).space == OLD
    assert registry.load_for_indexing("mini", OLD).space == OLD
    assert registry.load_for_indexing("fake", OLD).space.model == "fake"
    assert registry.load_for_indexing(f"mini@{NEWER}", OLD).space == newer


def test_newer_version_is_the_newest_one_of_an_older_space(newer: Space) -> None:
    found = registry.newer_version(OLD)
    assert found is not None
    assert found.space == newer
    for space in (newer, FakeEncoder().space, replace(OLD, weights="98:other"), Space("elsewhere", "1:a", 4)):
        assert registry.newer_version(space) is None  # the newest, without versions, not installed, no model


def test_a_model_with_missing_files_has_no_newer_version(newer: Space, tmp_path: Path) -> None:
    (tmp_path / "mini" / "model.json").unlink()
    assert registry.newer_version(OLD) is None


def install_paint(folder: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """Install the plug-in `paint` with an object of `PAINT` as its target."""
    install_plugin(
        folder,
        monkeypatch,
        group=registry.ENCODERS.group,
        name="paint",
        target=f"paint_encoders:{target}",
        source=PAINT,
    )
    monkeypatch.setattr(registry.ENCODERS, "_loaded", {})


def test_a_plugin_may_have_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_paint(tmp_path / "site", monkeypatch, "Paint")
    newest, oldest = registry.load("paint"), registry.load("paint@1")
    assert (newest.space.name, oldest.space.name) == ("paint@2", "paint@1")
    assert registry.load_for_space(oldest.space).space == oldest.space
    assert vars(oldest)["placement"] is not None
    found = registry.newer_version(oldest.space)
    assert found is not None
    assert found.space == newest.space


def test_versions_of_another_model_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_paint(tmp_path / "site", monkeypatch, "Misnamed")
    with pytest.raises(PluginError, match="must be called 'paint', not 'fake'"):
        registry.load("paint@1")


def test_versions_are_described_by_their_own_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_newer_mini(tmp_path / "mini", monkeypatch, languages=["en", "hu"])
    assert describe_model(f"mini@{NEWER}").languages == ("en", "hu")
    assert describe_model(OLD.name).name == OLD.name
    assert "hu" not in describe_model(OLD.name).languages


def test_versions_of_plug_ins_are_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_paint(tmp_path / "site", monkeypatch, "Paint")
    described = describe_model("paint@1")
    assert (described.name, described.location, described.languages) == ("paint@1", "plug-in", ("en",))
    with pytest.raises(UnknownModel, match="paint@3"):
        describe_model("paint@3")


def test_the_card_sets_the_token_limit_and_the_size_for_patches(tmp_path: Path) -> None:
    folder = tmp_path / "mini"
    shutil.copytree(MINI_2, folder)
    card = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(card | {"max_tokens": 5, "patch_size": 512}))
    (folder / "calibration.json").unlink()
    encoder = MiniEncoder(folder)
    assert encoder.patch_preprocess == replace(encoder.preprocess, size=512)
    assert encoder.calibration is None
    assert encoder.context_length == 5
    ids = encoder._tokenizer("a dog plays in the snow")
    assert (len(ids), ids[0]) == (5, BOS)
    assert encoder.truncation_limit("a dog plays in the snow") == 5
    np.testing.assert_array_equal(*encoder.encode_texts(["a dog plays in", "a dog plays in the snow"]))
    with pytest.raises(ValueError, match=r"\(N, 512, 512, 3\)"):
        encoder.encode_patches(np.zeros((1, encoder.preprocess.size, encoder.preprocess.size, 3), np.uint8))
