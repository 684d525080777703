"""Loading a pulled model from its folder."""

import json

import numpy as np
import pytest

from encoders import registry
from encoders.hub import make_plan, pull, resolve
from encoders.placement import Placement
from tests.encoders.hub.conftest import NAME
from tests.encoders.hub.test_pull import Watching
from tests.support.hub_server import Hub, Repository

MODEL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


def test_a_pulled_model_computes_the_same_vectors(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    torch, open_clip = pytest.importorskip("torch"), pytest.importorskip("open_clip")
    from safetensors.torch import save

    model = open_clip.CLIP(**MODEL).eval()
    config = json.dumps({"model_cfg": MODEL, "preprocess_cfg": {"interpolation": "bicubic"}}).encode()
    weights = save(model.state_dict())
    hub.repositories["tiny/clip"] = Repository(
        {"open_clip_config.json": config, "open_clip_model.safetensors": weights}
    )
    hub.cut_after = 1_000_000
    pull(make_plan(resolve(NAME)), Watching())

    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # from here on, requests fail
    ours = registry.load(NAME, Placement("cpu", "fp32")).encode_texts(["a dog", "two cats"])
    with torch.inference_mode():
        theirs = model.encode_text(open_clip.get_tokenizer("ViT-B-32")(["a dog", "two cats"]), normalize=True).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
