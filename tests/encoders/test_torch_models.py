"""PyTorch models read from disk return the same vectors as open_clip and transformers."""

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ModelUnavailable
from encoders import registry
from encoders.base import Encoder
from encoders.placement import Placement

torch = pytest.importorskip("torch")
pytest.importorskip("open_clip")

EXACT = Placement("cpu", "fp32")
TEXTS = ["a dog", "two cats on a sofa", "zebra"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid the network for every kind of model and tokenizer."""

    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("offline means offline")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def pixels(encoder: Encoder, count: int = 3) -> NDArray[np.uint8]:
    side = encoder.preprocess.size
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def unit(vectors: Any) -> NDArray[np.float32]:
    found: NDArray[np.float32] = torch.nn.functional.normalize(vectors.float(), dim=-1).numpy()
    return found


@pytest.mark.parametrize("kind", ["vit", "resnet", "xlmr", "nllb", "mt5", "siglip"])
def test_vectors_equal_open_clip(tiny: dict[str, Path], kind: str) -> None:
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer
    from safetensors.torch import load_file

    from tests.support.tiny_models import KINDS, reference

    folder = tiny[kind]
    encoder = registry.load(str(folder), EXACT)
    direct = reference(folder)
    direct.load_state_dict(load_file(folder / "open_clip_model.safetensors"))
    text = KINDS[kind]["text_cfg"]
    length = text["context_length"]
    clean = text.get("tokenizer_kwargs", {})
    tokenizer = HFTokenizer(str(folder), length, **clean) if "hf_tokenizer_name" in text else SimpleTokenizer()
    shown = pixels(encoder)
    with torch.inference_mode():
        images = direct.encode_image(torch.from_numpy(encoder.preprocess.normalise(shown)))
        texts = direct.encode_text(tokenizer(TEXTS))
    found = encoder.encode_texts(TEXTS)
    np.testing.assert_allclose(encoder.encode_pixels(shown), unit(images), atol=2e-6)
    np.testing.assert_allclose(found, unit(texts), atol=2e-6)
    # NLLB's tower takes the vector of its first token, which is the language: random weights hardly tell texts apart.
    assert np.abs(found[0] - found[1]).max() > (1e-5 if kind == "nllb" else 1e-3)
    assert encoder.logit_scale == pytest.approx(1 / 0.07)
    assert encoder.context_length == length
    assert encoder.space.model == str(folder)


@pytest.mark.parametrize(("kind", "of"), [("altclip", "AltCLIPModel"), ("clip", "CLIPModel")])
def test_vectors_equal_transformers(tiny: dict[str, Path], kind: str, of: str) -> None:
    import transformers

    folder = tiny[kind]
    encoder = registry.load(str(folder), EXACT)
    direct = getattr(transformers, of).from_pretrained(folder).eval()
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    shown = pixels(encoder)
    with torch.inference_mode():
        images = direct.get_image_features(torch.from_numpy(encoder.preprocess.normalise(shown))).pooler_output
        texts = direct.get_text_features(tokens.input_ids, tokens.attention_mask).pooler_output
    np.testing.assert_allclose(encoder.encode_pixels(shown), unit(images), atol=2e-6)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), unit(texts), atol=2e-6)
    assert encoder.logit_scale == pytest.approx(np.exp(2.6592), rel=1e-4)
    assert encoder.count_tokens("ab") == {"altclip": 5, "clip": 4}[kind]  # letters and ends; XLM-R marks a word's start


def test_the_source_language_reaches_the_tokens(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """NLLB reads `<language> tokens </s>`: the first ID of each row is the language."""

    def ids(encoder: Any) -> list[int]:
        found: list[int] = encoder._tokens(["angeln am see"])[0].tolist()
        return found

    english, german = registry.load(str(tiny["nllb"]), EXACT), registry.load(f"{tiny['nllb']}?lang=deu_Latn", EXACT)
    vocabulary = german._tokenizer.tokenizer.get_vocab()  # type: ignore[attr-defined]
    assert ids(german)[0] == vocabulary["deu_Latn"]
    assert ids(english)[0] == vocabulary["eng_Latn"]
    assert ids(german)[1:] == ids(english)[1:]
    assert german.space == english.space  # pictures are the same to both
    with pytest.raises(ModelUnavailable, match="klingon"):
        registry.load(f"{tiny['nllb']}?lang=klingon", EXACT).encode_texts(["a"])
    monkeypatch.setenv("SIGHTLINE_MODEL_LANGUAGE", "deu_Latn")
    assert ids(registry.load(str(tiny["nllb"]), EXACT)) == ids(german)
    assert ids(registry.load(f"{tiny['nllb']}?lang=eng_Latn", EXACT)) == ids(english)
    monkeypatch.setenv("SIGHTLINE_MODEL_LANGUAGE", "nonsense")
    assert len(registry.load(str(tiny["xlmr"]), EXACT).encode_texts(["a"])) == 1  # other models ignore it
    for kind in ("vit", "xlmr", "altclip"):
        with pytest.raises(ModelUnavailable, match="Only NLLB"):
            registry.load(f"{tiny[kind]}?lang=deu_Latn", EXACT)
