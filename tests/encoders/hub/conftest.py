"""A hub on loopback with one small model, and a temporary models folder."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hub_server import Hub, Repository, serving

NAME = "hf-hub:tiny/clip"

CONFIG = {"model_cfg": {"embed_dim": 8, "vision_cfg": {}, "text_cfg": {"vocab_size": 64}}, "preprocess_cfg": {}}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The models folder of this test."""
    return tmp_path / "models"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with `tiny/clip`: weights for open_clip and transformers, configuration, tokenizer, unneeded files."""
    with serving(monkeypatch) as server:
        server.repositories["tiny/clip"] = Repository(
            {
                "open_clip_config.json": json.dumps(CONFIG).encode(),
                "open_clip_model.safetensors": os.urandom(300_000),
                "open_clip_pytorch_model.bin": os.urandom(300_000),
                "model.safetensors": os.urandom(300_000),
                "tokenizer.json": b'{"vocab": {}}',
                "README.md": b"# tiny",
                "LICENSE": b"MIT",
                "modeling.py": b"raise SystemExit",
                ".gitattributes": b"*.bin lfs",
                "onnx/model.onnx": os.urandom(1_000),
                "../outside.json": b"{}",
            }
        )
        yield server
