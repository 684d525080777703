"""Write the tokenizer of an open_clip or transformers model as `TokenizerRules` and a file of `tokenizers`."""

from typing import Any

from encoders.compiled.failure import NotCompilable
from encoders.compiled.tokens import CLEANERS, TokenizerRules

__all__ = ["export_tokenizer"]


def export_tokenizer(original: Any, context_length: int) -> tuple[TokenizerRules, str]:
    """Return the rules and the content of `tokenizer.json` of a tokenizer of open_clip or transformers.

    Raises `NotCompilable` for a tokenizer that they cannot express.
    """
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    if isinstance(original, SimpleTokenizer):
        return _clip(original, context_length)
    if isinstance(original, HFTokenizer):
        if original.tokenizer_mode:
            raise NotCompilable(f"its tokenizer has the mode {original.tokenizer_mode!r}")
        inner = original.tokenizer
        zeroed = inner.sep_token_id if original.strip_sep_token else None
        clean, has_mask = _name_of(original.clean_fn), False
    else:
        inner, zeroed, clean, has_mask = original, None, "none", True
    language = getattr(inner, "src_lang", None)
    rules = TokenizerRules(clean, context_length, zeroed=zeroed, language=language, has_mask=has_mask)
    return rules, _fast(inner, "longest" if has_mask else "max_length", context_length)


def _clip(original: Any, context_length: int) -> tuple[TokenizerRules, str]:
    from tokenizers import Tokenizer, models, pre_tokenizers

    if original.reduction_fn is not None:
        raise NotCompilable("its tokenizer chooses words at random")
    special = {name: number for name, number in original.encoder.items() if number in original.all_special_ids}
    merges = sorted(original.bpe_ranks, key=original.bpe_ranks.get)
    made = Tokenizer(models.BPE(original.encoder, merges, end_of_word_suffix="</w>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    rules = TokenizerRules(_name_of(original.clean_fn), context_length, words=original.pat.pattern, special=special)
    return rules, made.to_str()


def _fast(inner: Any, padding: str, length: int) -> str:
    if not inner.is_fast:
        raise NotCompilable(f"its tokenizer ({type(inner).__name__}) is not one of the library tokenizers")
    # The call leaves its settings of truncation and padding in the tokenizer, whose file contains them.
    inner(["a"], padding=padding, truncation=True, max_length=length)
    content: str = inner.backend_tokenizer.to_str()
    return content


def _name_of(clean: Any) -> Any:
    """Return the name of one of open_clip's cleaning functions."""
    name = clean.__name__.removeprefix("_clean_")
    if name not in CLEANERS:
        raise NotCompilable(f"its tokenizer cleans texts by {clean.__name__}")
    return name
