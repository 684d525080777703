"""Models by name."""

import re

import pytest

from core.errors import LicenceRefused, UnknownModel
from encoders import registry
from encoders.fake import FakeEncoder


def test_every_model_says_what_it_is() -> None:
    assert registry.DEFAULT_MODEL in registry.MODELS
    for name, model in registry.MODELS.items():
        assert model.name == name
        assert model.summary
        assert model.licence
        assert all(re.fullmatch("[a-z]{2}", language) for language in model.languages)


def test_a_model_is_loaded_by_its_name() -> None:
    encoder = registry.load("fake")
    assert isinstance(encoder, FakeEncoder)
    assert encoder.space.model == "fake"
    assert registry.info(" fake ") is registry.MODELS["fake"]


@pytest.mark.parametrize("name", ["", "Fake", "clip", "fake; rm"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    for call in (registry.info, registry.load):
        with pytest.raises(UnknownModel) as caught:
            call(name)
        assert caught.value.name == name
        assert caught.value.known == tuple(registry.MODELS)
        assert "mini" in str(caught.value)


def test_only_models_for_commercial_use_where_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_COMMERCIAL", "1")
    assert registry.load("fake").space.model == "fake"
    for name in ("nllb-clip-base-siglip/v1", "BAAI/AltCLIP", "/a/folder/of/mine"):
        with pytest.raises(LicenceRefused) as caught:
            registry.load(name)
        assert caught.value.name == name
