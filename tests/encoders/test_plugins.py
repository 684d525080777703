"""Encoders that other packages install."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import sightline
from cli.main import sightline as commands
from core.errors import LicenceNotAllowed, ModelUnavailable, PluginError, UnknownModel
from encoders import registry
from encoders.model_info import all_models, describe_model
from encoders.placement import Placement
from tests.support.distributions import install_plugin

BRIGHTNESS = """
import numpy as np
import sightline


class BrightnessEncoder(sightline.Encoder):
    '''Two dimensions: light and dark.'''

    def __init__(self, name="NAME"):
        preprocess = sightline.Preprocess(size=8, mean=(0, 0, 0), std=(1, 1, 1))
        super().__init__(model=name, weights="1", dim=2, preprocess=preprocess)

    def forward_images(self, pixels):
        light = pixels.mean(axis=(1, 2, 3))
        return np.stack([light, 1 - light], axis=1)

    def forward_texts(self, texts):
        return np.array([[1.0, 0.0] if "bright" in text else [0.0, 1.0] for text in texts])


def load(placement):
    encoder = BrightnessEncoder()
    encoder.placement = placement
    return encoder


def misnamed():
    return BrightnessEncoder("another name")


def nothing():
    return None
"""

Install = Callable[[str, str], None]
Paint = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package with an encoder: `install(name, attribute)`."""

    def write(name: str, attribute: str) -> None:
        module = f"plugin_{name.replace('-', '_')}"
        install_plugin(
            tmp_path / "site",
            monkeypatch,
            group="sightline.encoders",
            name=name,
            target=f"{module}:{attribute}",
            source=BRIGHTNESS.replace("NAME", name),
        )

    return write


def test_an_installed_plugin_can_index_and_search(install: Install, tmp_path: Path, paint: Paint) -> None:
    """Neither the package nor its user needs a private module."""
    install("brightness", "BrightnessEncoder")
    for colour in ("white", "black"):
        paint(tmp_path / "pictures" / f"{colour}.png", colour)
    with sightline.open(tmp_path / "library", create=True) as library:
        sightline.index(library, tmp_path / "pictures", "brightness")
        sightline.index(library, tmp_path / "pictures")  # by the model of the library
        for query, name in (("a bright day", "white.png"), ("at night", "black.png")):
            assert [hit.path.name for hit in sightline.Searcher(library).search(query, k=1)] == [name]
    description = describe_model("brightness")
    assert (description.location, description.summary) == ("plug-in", "Plug-in of the package plugin_brightness 1.0")


def test_a_factory_with_a_placement_parameter_receives_it(install: Install) -> None:
    install("placed-plugin", "load")
    placement = Placement("cpu")
    assert registry.load("placed-plugin", placement).placement is placement  # type: ignore[attr-defined]


def test_models_list_contains_installed_plugins(install: Install) -> None:
    install("listed-plugin", "BrightnessEncoder")
    names = [model.name for model in all_models()]
    assert names[:3] == ["mini", "fake", "listed-plugin"]
    assert "listed-plugin" in registry.ENCODERS.names()
    with pytest.raises(UnknownModel, match="listed-plugin"):
        registry.load("unlisted-plugin")


def test_the_command_line_describes_installed_plugins(install: Install) -> None:
    install("shown-plugin", "BrightnessEncoder")
    listing = CliRunner().invoke(commands, ["models", "list"])
    assert "Plug-ins\n  shown-plugin\n" in listing.output
    info = json.loads(CliRunner().invoke(commands, ["models", "info", "shown-plugin", "--json"]).output)
    assert (info["location"], info["dim"], info["licence"], info["usable"]) == ("plug-in", 2, "unknown", True)


@pytest.mark.parametrize(
    ("name", "attribute", "message"),
    [
        ("misnamed-plugin", "misnamed", "must be called 'misnamed-plugin', not 'another name'"),
        ("empty-plugin", "nothing", "returned NoneType, not an Encoder"),
        ("broken-plugin", "absent", "AttributeError"),
    ],
)
def test_an_unusable_plugin_is_reported(install: Install, name: str, attribute: str, message: str) -> None:
    install(name, attribute)
    with pytest.raises(PluginError, match=message):
        registry.load(name)


def test_a_plugin_has_no_language_option(install: Install) -> None:
    install("monolingual-plugin", "BrightnessEncoder")
    with pytest.raises(ModelUnavailable, match="lang"):
        registry.load("monolingual-plugin?lang=deu_Latn")


def test_commercial_only_refuses_plugins(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("unlicensed-plugin", "BrightnessEncoder")
    monkeypatch.setenv("SIGHTLINE_COMMERCIAL", "1")
    with pytest.raises(LicenceNotAllowed):
        registry.load("unlicensed-plugin")


def test_entry_points_are_not_searched_for_names_that_are_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(**_: object) -> None:
        raise AssertionError("the entry points were searched")

    monkeypatch.setattr("core.plugins.entry_points", refuse)
    assert registry.load("mini")
    with pytest.raises(ModelUnavailable):
        registry.load(str(tmp_path / "absent"))
