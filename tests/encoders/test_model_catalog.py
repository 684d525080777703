"""The catalog of models, and their licences."""

import re

import pytest

from core.errors import LicenceNotAllowed
from encoders.licences import commercial_only, describe_licence, permitted_use, require_commercial
from encoders.mini.encoder import MiniEncoder
from encoders.model_catalog import BUILT_IN_MODELS, MODEL_CATALOG, XM3600, best_score, is_weak
from encoders.registry import ENCODERS


def test_every_built_in_model_is_described() -> None:
    assert tuple(BUILT_IN_MODELS) == ENCODERS.built_in()
    for name, model in BUILT_IN_MODELS.items():
        assert model.name == name
        assert model.summary
        assert model.licence
        assert all(re.fullmatch("[a-z]{2}", language) for language in model.languages)


def test_languages_of_the_built_in_model_are_those_of_its_newest_version() -> None:
    assert set(BUILT_IN_MODELS["mini"].languages) == set(MiniEncoder().languages)


@pytest.mark.parametrize("model", MODEL_CATALOG.values(), ids=list(MODEL_CATALOG))
def test_every_score_has_a_source(model: object) -> None:
    from encoders.model_catalog import CatalogModel

    assert isinstance(model, CatalogModel)
    assert bool(model.scores) == (model.measure is not None)
    assert all(0 < score < 100 for score in model.scores.values())
    assert all(re.fullmatch("[a-z]{2}", lang) for lang in (*model.languages, *model.spoken))
    if model.measure is not None:
        assert set(model.scores) <= set(model.measure.languages)
    if model.measure is XM3600:
        assert model.memory
        assert model.milliseconds


@pytest.mark.parametrize(
    ("name", "strong", "weak"),
    [
        ("ViT-B-32/laion2b_s34b_b79k", {"en"}, {"de", "fr", "zh", "cs", "ar", "es", "bn"}),
        ("ViT-B-16-SigLIP2/webli", {"en", "de", "zh", "es"}, {"hi", "bn"}),
        ("nllb-clip-large-siglip/v1", {"en", "de", "zh", "cs", "ar", "hi", "bn", "sw"}, set()),
        ("BAAI/AltCLIP", {"en", "zh"}, {"de"}),
        ("BAAI/AltCLIP-m9", {"es", "ja"}, {"de"}),
    ],
)
def test_strong_and_weak_languages(name: str, strong: set[str], weak: set[str]) -> None:
    model = MODEL_CATALOG[name]
    assert {lang for lang in strong | weak if is_weak(model, lang)} == weak


def test_best_score_in_a_language() -> None:
    assert best_score(XM3600, "bn") == 76.16
    assert best_score(XM3600, "sw") == 68.44
    assert best_score(XM3600, "is") is None


@pytest.mark.parametrize(
    ("licence", "use"),
    [
        ("MIT", "commercial"),
        ("apache-2.0", "commercial"),
        ("mit and apache-2.0", "commercial"),
        ("CC-BY-NC-4.0", "non-commercial"),
        ("mit and cc-by-nc-4.0", "non-commercial"),
        ("apple-amlr", "non-commercial"),
        ("creativeml-openrail-m", "unknown"),
        ("unknown", "unknown"),
        ("", "unknown"),
        ("mit and unknown", "unknown"),
    ],
)
def test_permitted_use_of_licences(licence: str, use: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGHTLINE_COMMERCIAL", raising=False)
    assert permitted_use(licence) == use
    require_commercial("model", licence)
    if use == "commercial":
        require_commercial("model", licence, requested=True)
        assert describe_licence(licence) == licence
        return
    assert "commercial" in describe_licence(licence)
    with pytest.raises(LicenceNotAllowed, match="commercial use"):
        require_commercial("model", licence, requested=True)
    monkeypatch.setenv("SIGHTLINE_COMMERCIAL", "1")
    with pytest.raises(LicenceNotAllowed):
        require_commercial("model", licence)


@pytest.mark.parametrize(("value", "only"), [("1", True), ("true", True), ("0", False), ("", False), ("no", False)])
def test_the_environment_can_require_commercial_use(value: str, only: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_COMMERCIAL", value)
    assert commercial_only() is only
