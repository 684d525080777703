"""Write the tokenizer of an open_clip or transformers model as `TokenizerRules` and a file of its vocabulary."""

from pathlib import Path
from typing import Any

from encoders.compiled.byte_pairs import write_byte_pairs
from encoders.compiled.failure import NotCompilable
from encoders.compiled.tokens import CLEANERS, TokenizerRules

__all__ = ["export_tokenizer"]


def export_tokenizer(original: Any, context_length: int, file: Path) -> TokenizerRules:
    """Write the vocabulary of a tokenizer of open_clip or transformers to `file`, and return the rules.

    Raises `NotCompilable` for a tokenizer that they cannot express.
    """
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    if isinstance(original, SimpleTokenizer):
        return _clip(original, context_length, file)
    if isinstance(original, HFTokenizer):
        if original.tokenizer_mode:
            raise NotCompilable(f"its tokenizer has the mode {original.tokenizer_mode!r}")
        inner = original.tokenizer
        zeroed = inner.sep_token_id if original.strip_sep_token else None
        clean, has_mask = _name_of(original.clean_fn), False
    else:
        inner, zeroed, clean, has_mask = original, None, "none", True
    language = getattr(inner, "src_lang", None)
    file.write_text(_fast(inner, "longest" if has_mask else "max_length", context_length), encoding="utf-8")
    return TokenizerRules(clean, context_length, zeroed=zeroed, language=language, has_mask=has_mask)


def _clip(original: Any, context_length: int, file: Path) -> TokenizerRules:
    if original.reduction_fn is not None:
        raise NotCompilable("its tokenizer chooses words at random")
    special = {name: number for name, number in original.encoder.items() if number in original.all_special_ids}
    letters = [original.byte_encoder[byte] for byte in range(256)]
    token = original.encoder.__getitem__
    write_byte_pairs(
        file,
        letters=[[token(letter + end) for letter in letters] for end in ("", "</w>")],
        merges={
            (token(left), token(right)): (rank, token(left + right))
            for (left, right), rank in original.bpe_ranks.items()
        },
    )
    return TokenizerRules(_name_of(original.clean_fn), context_length, words=original.pat.pattern, special=special)


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
