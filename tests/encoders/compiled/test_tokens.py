"""Tokenizers of compiled models are equal to the originals, on texts that tokenizers trip over."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encoders.compiled.tokens import CompiledTokenizer

pytest.importorskip("open_clip")

TEXTS = [
    "",
    " ",
    "a dog",
    "A Dog's tail, isn't it?",
    "café naïve cafe\u0301",
    "猫の写真",
    "😀👨\u200d👩\u200d👧",
    "\0",
    "a\0b",
    "word " * 200,
    "a" * 300,
    "abab" * 40 + "aaab" * 30,
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "ha" * 151 + "hahah",
    "&amp;lt;b&gt; &copy; 5 &lt; 6",
    "don\u2019t",
    "'\u017f \u017ftop 'S 'LL",
    "1234 56 ½ Ⅷ ٣٤ 〇",
    "<start_of_text>",
    "<<START_OF_TEXT>> x <end_of_text>",
    "İstanbul ẞ straße",
    "a\nb\tc\x1b[31mred",
    "x\u200by\u00a0z\ufeff",
    "क्ष",
    "กำ",
    "\ue000\U0010ffff",
    "schÃ¶n",
    "_under_score__ {}",
    "<s> </s> <pad> <unk> deu_Latn",
    "\u2028line\u2029",
    "ﬁne ①",
    "hello!!!??? :-)",
    "\x1c\x1d a \x85 b",
]
KINDS = ["vit", "xlmr", "nllb", "mt5", "siglip", "altclip", "clip"]

Pair = tuple[Any, CompiledTokenizer]


@pytest.fixture(scope="module")
def pair(tiny: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pair]:
    """Return the encoder of a kind of model, and its tokenizer read from an export."""
    from encoders.compiled.tokenizer_export import export_tokenizer
    from encoders.open_clip import OpenClipEncoder
    from encoders.placement import Placement
    from encoders.transformers_clip import TransformersClipEncoder

    made: dict[str, Pair] = {}

    def find(kind: str) -> Pair:
        if kind not in made:
            of = TransformersClipEncoder if kind in ("altclip", "clip") else OpenClipEncoder
            encoder: Any = of(tiny[kind], name=kind, placement=Placement("cpu", "fp32"))
            file = tmp_path_factory.mktemp(kind) / "tokenizer"
            rules = export_tokenizer(encoder._tokenizer, encoder.context_length, file)
            made[kind] = encoder, CompiledTokenizer(rules, file)
        return made[kind]

    return find


def require_equal(pair: Pair, text: str) -> None:
    encoder, compiled = pair
    tokens, found = encoder._tokens([text]), compiled([text])
    np.testing.assert_array_equal(found.ids, getattr(tokens, "input_ids", tokens).numpy())
    if hasattr(tokens, "attention_mask"):
        np.testing.assert_array_equal(found.mask, tokens.attention_mask.numpy())
    assert compiled.count(text) == encoder.count_tokens(text)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_equal_the_original(pair: Callable[[str], Pair], kind: str) -> None:
    for text in TEXTS:
        require_equal(pair(kind), text)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40))
def test_tokens_of_any_text_equal_those_of_clip(pair: Callable[[str], Pair], text: str) -> None:
    require_equal(pair("vit"), text)


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=40))
def test_tokens_of_any_text_equal_those_of_transformers(pair: Callable[[str], Pair], text: str) -> None:
    require_equal(pair("siglip"), text)


def test_batches_are_padded_as_by_the_original(pair: Callable[[str], Pair]) -> None:
    encoder, compiled = pair("altclip")
    tokens, found = encoder._tokens(["a", "a longer text"]), compiled(["a", "a longer text"])
    np.testing.assert_array_equal(found.ids, tokens.input_ids.numpy())
    np.testing.assert_array_equal(found.mask, tokens.attention_mask.numpy())


def test_the_language_of_nllb_is_the_first_token(pair: Callable[[str], Pair]) -> None:
    _, compiled = pair("nllb")
    english, german = compiled(["a"]).ids[0], compiled(["a"], "deu_Latn").ids[0]
    assert english[0] == compiled.language_id("eng_Latn")
    assert german[0] == compiled.language_id("deu_Latn")
    np.testing.assert_array_equal(english[1:], german[1:])
    assert compiled.language_id("klingon") is None


def test_random_choices_of_words_are_refused(tmp_path: Path) -> None:
    from open_clip.tokenizer import SimpleTokenizer

    from encoders.compiled.failure import NotCompilable
    from encoders.compiled.tokenizer_export import export_tokenizer

    with pytest.raises(NotCompilable, match="random"):
        export_tokenizer(SimpleTokenizer(reduction_mask="simple"), 77, tmp_path / "tokenizer")
