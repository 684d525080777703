"""The list of recommended models, and their licences."""

import re

import pytest

from core.errors import LicenceRefused
from encoders.licences import commercial_only, in_words, require_commercial, use_of
from encoders.model_catalog import RECOMMENDED, XM3600, best_score, is_weak


@pytest.mark.parametrize("model", RECOMMENDED.values(), ids=list(RECOMMENDED))
def test_no_number_is_without_a_source(model: object) -> None:
    from encoders.model_catalog import Recommended

    assert isinstance(model, Recommended)
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
def test_who_is_weak_in_what(name: str, strong: set[str], weak: set[str]) -> None:
    model = RECOMMENDED[name]
    assert {lang for lang in strong | weak if is_weak(model, lang)} == weak


def test_the_best_in_bengali() -> None:
    assert best_score(XM3600, "bn") == 76.16
    assert best_score(XM3600, "sw") is None


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
def test_what_licences_allow(licence: str, use: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGHTLINE_COMMERCIAL", raising=False)
    assert use_of(licence) == use
    require_commercial("model", licence)
    if use == "commercial":
        require_commercial("model", licence, asked=True)
        assert in_words(licence) == licence
        return
    assert "commercial" in in_words(licence)
    with pytest.raises(LicenceRefused, match="SIGHTLINE_COMMERCIAL"):
        require_commercial("model", licence, asked=True)
    monkeypatch.setenv("SIGHTLINE_COMMERCIAL", "1")
    with pytest.raises(LicenceRefused):
        require_commercial("model", licence)


@pytest.mark.parametrize(("value", "only"), [("1", True), ("true", True), ("0", False), ("", False), ("no", False)])
def test_the_environment_can_ask_for_commercial_use(value: str, only: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_COMMERCIAL", value)
    assert commercial_only() is only
