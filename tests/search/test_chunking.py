"""Texts that are longer than the context of the model."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.fake import FakeEncoder
from indexer import index
from search import Searcher, SearchOptions
from search.chunking import fit_to_context
from store import Library


class Short(FakeEncoder):
    """An encoder with a context of five words."""

    def __init__(self) -> None:
        super().__init__()
        self.context_length = 5

    def count_tokens(self, text: str) -> int:
        return len(text.split()) if text.isascii() else len(text)


def test_long_text_is_split_into_sentences_that_fit() -> None:
    text = "One two. Three four five! Six seven eight nine ten eleven twelve. End"
    fitted = fit_to_context(text, Short(), "split")
    assert fitted.pieces == ("One two. Three four five!", "Six seven eight nine ten", "eleven twelve. End")
    assert fitted.notice is not None
    assert "13 tokens" in str(fitted.notice)
    assert fit_to_context("红色的狗在雪地里跑。蓝色的", Short(), "split").pieces == (
        "红色的狗在",
        "雪地里跑。",
        "蓝色的",
    )


def test_long_text_is_truncated_on_request() -> None:
    fitted = fit_to_context("one two three four five six", Short(), "truncate")
    assert fitted.pieces == ("one two three four five",)
    assert fitted.notice is not None
    assert "truncated" in str(fitted.notice)
    assert fit_to_context("one two three four five", Short(), "truncate").notice is None


@given(st.text(st.sampled_from("ab .!?\n雪。"), max_size=60))
def test_pieces_fit_and_lose_no_letter(text: str) -> None:
    pieces = fit_to_context(text, Short(), "split").pieces
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(Short().count_tokens(piece) <= 5 for piece in pieces)


def test_answer_notes_long_texts(library: Library, album: Path) -> None:
    index(library, [album], Short())
    searcher = Searcher(library, Short())
    long = "red and red red . blue and blue blue ."
    split, cut = searcher.search(long), searcher.search(long, SearchOptions(long_texts="truncate"))
    assert len(split.notices) == len(cut.notices) == 1
    assert cut[0].path.stem == "red"
    assert cut[0].score == pytest.approx(1, abs=1e-3)
    assert {hit.path.stem: hit.score for hit in split}["red"] < 0.8  # half of it is blue
    assert searcher.search("red").notices == ()
