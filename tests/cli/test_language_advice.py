"""Advice for queries in a language that the model is weak in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Sightline = Callable[..., Any]
GERMAN = ("ein", "Hund", "spielt", "im", "Schnee")
CZECH = ("Pes", "si", "hraje", "ve", "sněhu", "s", "míčem")


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    from encoders.machine import Machine

    monkeypatch.setattr("search.language_advice.this_machine", lambda: Machine(16 * 2**30, has_gpu=False))
    monkeypatch.delenv("SIGHTLINE_COMMERCIAL", raising=False)


def test_advice_appears_once_per_language(sightline: Sightline, filled: Path) -> None:
    """The fake model supports English only."""
    first = sightline("search", *GERMAN, "--json")
    assert "The query seems to be in German, in which the model fake is known to be weak" in first.err
    assert "`sightline models pull ViT-B-16-SigLIP2/webli`, then `sightline models use" in first.err
    assert [set(record) >= {"score", "path"} for record in first.records] == [True] * len(first.records)
    assert sightline("search", *GERMAN).err == ""
    other = sightline("search", *CZECH)
    assert "Czech" in other.err
    assert "nllb-clip-base-siglip/v1 (CC-BY-NC-4.0: NOT for commercial use)" in other.err
    assert json.loads((filled / "told.json").read_text()) == {"fake": ["de", "cs"]}


def test_advice_respects_commercial_setting(
    sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_COMMERCIAL", "1")
    assert "xlm-roberta-large-ViT-H-14" in sightline("search", *CZECH).err


@pytest.mark.parametrize("words", [("a", "red", "dog", "on", "the", "beach"), ("Hund",), ("red",)])
def test_no_advice_for_other_languages(sightline: Sightline, filled: Path, words: tuple[str, ...]) -> None:
    assert sightline("search", *words).err == ""


def test_no_advice_for_image_query(sightline: Sightline, filled: Path, album: Path) -> None:
    assert sightline("search", "--image", album / "red.png").err == ""


@pytest.mark.parametrize("content", [b"", b"[]", b'{"fake": 1}', b"\xff", b'{"fake": ["fr"]}'])
def test_damaged_advice_file_is_ignored(sightline: Sightline, filled: Path, content: bytes) -> None:
    (filled / "told.json").write_bytes(content)
    assert "German" in sightline("search", *GERMAN).err
    assert sightline("search", *GERMAN).err == ""
