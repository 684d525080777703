"""Loading models by name."""

import pytest

from core.errors import ImportedSpaceHasNoModel, LicenceNotAllowed, UnknownModel, UnknownModelOption
from core.space import Space
from encoders import registry
from encoders.fake import FakeEncoder


def test_load_returns_the_built_in_encoder_of_a_name() -> None:
    encoder = registry.load(" fake ")
    assert isinstance(encoder, FakeEncoder)
    assert encoder.space.model == "fake"


@pytest.mark.parametrize("name", ["", "Fake", "clip", "fake; rm"])
def test_an_unknown_name_lists_the_known_names(name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        registry.load(name)
    assert caught.value.name == name
    assert caught.value.known == ("mini",)
    assert "mini" in str(caught.value)


@pytest.mark.parametrize(
    "options", ["", "x", "precison=int8", "precision=", "lang=de&x=1", "precision=int8&precision=int4", "&"]
)
def test_options_of_a_name_that_are_misspelt_or_repeated_are_refused(options: str) -> None:
    with pytest.raises(UnknownModelOption) as caught:
        registry.load(f"clip?{options}")
    assert (caught.value.name, caught.value.options) == ("clip", options)
    assert "precision=int8" in str(caught.value)


def test_commercial_only_refuses_models_without_a_known_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_COMMERCIAL", "1")
    assert registry.load("fake").space.model == "fake"
    for name in ("nllb-clip-base-siglip/v1", "BAAI/AltCLIP", "/a/folder/of/mine"):
        with pytest.raises(LicenceNotAllowed) as caught:
            registry.load(name)
        assert caught.value.name == name


def test_the_default_is_the_model_of_the_space_or_the_built_in_one() -> None:
    assert registry.load_for_indexing(None, FakeEncoder().space).space.model == "fake"
    assert registry.load_for_indexing(None, None).space.model == registry.DEFAULT_MODEL == "mini"


def test_an_imported_space_has_no_encoder() -> None:
    with pytest.raises(ImportedSpaceHasNoModel):
        registry.load_for_space(Space("elsewhere", "imported:123", 4))
