"""Tiny models of the real architectures on disk, created once for all tests."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of models by kind. They are shared: a test that changes one must copy it."""
    pytest.importorskip("open_clip")
    pytest.importorskip("transformers")
    from tests.support.tiny_models import KINDS, tiny_altclip, tiny_clip, tiny_open_clip

    base = tmp_path_factory.mktemp("tiny")
    made = {kind: tiny_open_clip(base / kind, kind) for kind in KINDS}
    return {**made, "altclip": tiny_altclip(base / "altclip"), "clip": tiny_clip(base / "clip")}
