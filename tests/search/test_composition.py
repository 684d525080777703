"""Queries of many parts: the vector is the weighted sum, whatever the parts, and each of them can be shown."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.errors import InvalidQuery
from encoders.fake import FakeEncoder
from indexer import index
from search import Crop, Filters, ImageInput, Part, Query, Searcher, SearchOptions, StoredInput, TextInput, VectorInput
from search.chunking import fit_to_context
from search.feedback import refined
from search.prompt_templates import TEMPLATES, apply_templates
from search.query_language import parse
from search.ranking import diverse_order, rescaled
from store import Library

Paint = Callable[..., Path]


@pytest.fixture
def searcher(library: Library, album: Path, encoder: FakeEncoder) -> Searcher:
    index(library, [album], encoder)
    return Searcher(library, encoder)


def unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / np.linalg.norm(vector))


def test_the_vector_is_the_weighted_sum(searcher: Searcher, encoder: FakeEncoder, tmp_path: Path, paint: Paint) -> None:
    blue = paint(tmp_path / "query.png", "blue", (40, 30))
    (yellow,) = searcher.search("yellow", k=1)
    numbers = tuple(np.eye(13)[4] * 7)
    query = Query(
        (
            Part(TextInput("red"), 2),
            Part(ImageInput(blue), 0.5),
            Part(StoredInput(yellow.id), -0.25),
            Part(VectorInput(numbers), 1.5),
        )
    )
    red, of_blue, of_yellow = encoder.encode_texts(["red", "blue", "yellow"]).astype(np.float64)
    expected = unit(2 * red + 0.5 * of_blue - 0.25 * of_yellow + 1.5 * np.eye(13)[4])
    np.testing.assert_allclose(searcher.embed(query), expected, atol=1e-3)  # one is stored in 16 bits


def test_a_picture_of_the_library_is_asked_by_its_stored_vector(
    library: Library, album: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(library, [album], encoder)
    searcher = Searcher(library, encoder)

    def refuse(*_: object) -> None:
        raise AssertionError("it was embedded anew")

    monkeypatch.setattr(encoder, "encode_images", refuse)
    (red,) = searcher.search(Query((Part(ImageInput(album / "red.png")),)), k=1)
    assert (red.path.name, round(red.score, 3)) == ("red.png", 1.0)
    with pytest.raises(AssertionError, match="anew"):
        searcher.search(Query((Part(ImageInput(album / "red.png", Crop.parse("0,0,2,2"))),)))


def test_a_weight_of_one_part_alone_changes_nothing(searcher: Searcher) -> None:
    assert searcher.search(Query((Part(TextInput("red"), 3),))) == searcher.search("red")


def test_the_parts_of_a_hit_are_its_cosines(searcher: Searcher, encoder: FakeEncoder) -> None:
    query = parse("red + 0.5:blue - green").query
    assert query is not None
    plain, hits = searcher.search(query), searcher.search(query, SearchOptions(explain=True))
    assert [(hit.id, hit.score) for hit in hits] == [(hit.id, hit.score) for hit in plain]
    assert all(hit.parts is None for hit in plain)
    for hit in hits:
        (own,) = encoder.encode_texts([{"lime": "green"}.get(hit.path.stem, hit.path.stem)])
        np.testing.assert_allclose(hit.parts or (), encoder.encode_texts(["red", "blue", "green"]) @ own, atol=1e-3)


@pytest.mark.parametrize("weight", [0.0, float("inf"), float("nan"), -float("inf"), 1e7, 1e-9])
def test_weights_that_mean_nothing(weight: float) -> None:
    with pytest.raises(InvalidQuery, match="out of range"):
        Part(TextInput("red"), weight)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TextInput(""), lambda: TextInput(" \n"), lambda: TextInput("a\0"), lambda: TextInput("\udcff"),
        lambda: TextInput("a" * 100_001), lambda: ImageInput(Path("a\0.jpg")), lambda: VectorInput(()),
        lambda: VectorInput((0.0, 0.0)), lambda: VectorInput((1.0, np.nan)),
        lambda: Query(()), lambda: Query((Part(TextInput("a"), -1),)), lambda: Query((Part(TextInput("a")),) * 1001),
        lambda: Query.of([]), lambda: Query.of(without="red"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidQuery):
        make()


def test_what_the_library_does_not_have(searcher: Searcher) -> None:
    for source in (StoredInput(999), StoredInput(10**17), VectorInput((1.0, 2.0))):
        with pytest.raises(InvalidQuery):
            searcher.search(Query((Part(source),)))


def test_parts_that_cancel_out(searcher: Searcher) -> None:
    with pytest.raises(InvalidQuery, match="cancel"):
        searcher.search(Query((Part(TextInput("red")), Part(TextInput("red"), -1))))


def test_only_plain_compositions_have_a_kind() -> None:
    kinds = {
        "beach": "text", "2:beach": "text", "a + b": "text", "a -b": "text", "./a.jpg": "picture",
        "like:4 -like:5": "picture",
        "a + 0.5:b": None, "a - 2:b": None, "a + ./a.jpg": None, "./a.jpg[0,0,5,5]": None,
    }  # fmt: skip
    for line, kind in kinds.items():
        query = parse(line).query
        assert query is not None
        assert query.kind == kind, line
    assert Query((Part(VectorInput((1.0,))),)).kind is None


# Regions


def halves(path: Path) -> Path:
    """Red on the left, blue on the right; 40 by 20 pixels."""
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (20, 0, 40, 20))
    image.save(path)
    return path


@pytest.mark.parametrize(
    ("crop", "colour"),
    [("0,0,20,20", "red"), ("20,0,99,20", "blue"), ("50%,0%,50%,50%", "blue"), ("0%,0%,50%,100%", "red")],
)
def test_a_region_is_a_question_of_its_own(searcher: Searcher, tmp_path: Path, crop: str, colour: str) -> None:
    picture = halves(tmp_path / "halves.png")
    query = Query((Part(ImageInput(picture, Crop.parse(crop))),))
    assert searcher.search(query, k=1)[0].path.stem == colour
    assert searcher.search(query, k=1)[0].score == pytest.approx(1, abs=1e-3)
    assert searcher.similar(picture, k=1, crop=Crop.parse(crop))[0].path.stem == colour


def test_a_region_is_of_the_upright_picture(searcher: Searcher, tmp_path: Path) -> None:
    turned = Image.open(halves(tmp_path / "halves.png")).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: back to how it was
    turned.save(tmp_path / "turned.png", exif=exif)
    query = Query((Part(ImageInput(tmp_path / "turned.png", Crop.parse("0,0,20,20"))),))
    assert searcher.search(query, k=1)[0].path.stem == "red"


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,x", "1,2,3%,4", "0,0,0,5", "0,0,5,0", "-1,0,5,5", "1e999,0,1,1", "0,0,nan,1"]
)
def test_what_is_no_region(text: str) -> None:
    with pytest.raises(InvalidQuery):
        Crop.parse(text)


@pytest.mark.parametrize("crop", ["40,0,5,5", "0,20,5,5", "100%,0%,1%,1%"])
def test_a_region_outside_the_picture(searcher: Searcher, tmp_path: Path, crop: str) -> None:
    query = Query((Part(ImageInput(halves(tmp_path / "halves.png"), Crop.parse(crop))),))
    with pytest.raises(InvalidQuery, match="outside"):
        searcher.search(query)


@given(st.floats(0, 39.9), st.floats(0, 19.9), st.floats(1e-3, 100), st.floats(1e-3, 100), st.sampled_from([1, 2, 4]))
def test_a_region_has_at_least_a_pixel_and_stays_inside(
    x: float, y: float, width: float, height: float, scale: int
) -> None:
    image = Image.new("RGB", (40 // scale, 20 // scale))
    cut = Crop(x, y, width, height).apply(image, (40, 20))
    assert 1 <= cut.width <= image.width
    assert 1 <= cut.height <= image.height


# Feedback


def test_rocchio_by_hand() -> None:
    query = refined(Query.of(["a", "b"]), [StoredInput(1), StoredInput(2), StoredInput(3)], [StoredInput(4)])
    assert [part.weight for part in query.parts] == pytest.approx([0.5, 0.5, 0.25, 0.25, 0.25, -0.15])
    assert refined(None, [StoredInput(1)]) == Query((Part(StoredInput(1), 0.75),))
    with pytest.raises(InvalidQuery):
        refined(None, less=[StoredInput(1)])


def test_feedback_moves_towards_what_is_liked(searcher: Searcher) -> None:
    scores = {hit.path.stem: hit.score for hit in searcher.search("red")}
    ids = {hit.path.stem: hit.id for hit in searcher.search("red")}
    moved = refined(Query.of("red"), [StoredInput(ids["blue"])], [StoredInput(ids["yellow"])])
    after = {hit.path.stem: hit.score for hit in searcher.search(moved)}
    assert after["blue"] > scores["blue"]
    assert after["yellow"] < scores["yellow"]
    assert parse(str(moved)).query == moved


# Diversity


def slow_mmr(scores: Sequence[float], vectors: np.ndarray, k: int, balance: float) -> list[int]:
    """The definition, word by word."""
    chosen: list[int] = []
    while len(chosen) < min(k, len(scores)):
        left = [row for row in range(len(scores)) if row not in chosen]

        def merit(row: int) -> float:
            if not chosen:
                return float(scores[row])
            return balance * scores[row] - (1 - balance) * max(float(vectors[row] @ vectors[other]) for other in chosen)

        chosen.append(max(left, key=lambda row: (round(merit(row), 6), -row)))
    return chosen


@given(st.integers(0, 500), st.integers(1, 12), st.integers(1, 14), st.floats(0, 1))
def test_diversity_is_the_definition(seed: int, n: int, k: int, balance: float) -> None:
    vectors = np.random.default_rng(seed).standard_normal((n, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = (vectors @ vectors[0]).astype(np.float64)
    assert diverse_order(scores, vectors, k, balance) == slow_mmr(scores.tolist(), vectors, k, balance)


def test_what_answers_comes_before_what_is_merely_different() -> None:
    scores = np.array([0.30, 0.29, 0.28, 0.05])  # as words score: all low, and the last is no answer
    vectors = np.array([[1, 0, 0], [0.8, 0.6, 0], [0.99, 0.141, 0], [0, 0, 1]], np.float32)
    assert diverse_order(scores, vectors, 2, 0.5) == [0, 3]
    np.testing.assert_allclose(rescaled(scores), [1, 0.96, 0.92, 0])
    assert diverse_order(rescaled(scores), vectors, 2, 0.5) == [0, 1]
    assert rescaled(np.array([0.2, 0.2])).tolist() == [1, 1]


def test_diversity_shows_the_other_kind(searcher: Searcher, library: Library, album: Path, paint: Paint) -> None:
    for shade in range(245, 255):
        paint(album / f"{shade}.png", (shade, 0, 0))
    index(library, [album], FakeEncoder())
    alike = searcher.search("red", k=3)
    mixed = searcher.search("red", SearchOptions(k=3, diverse=0.3))
    assert {hit.path.stem for hit in alike} <= {"red", *map(str, range(245, 255))}
    assert {"green", "blue"} & {hit.path.stem for hit in mixed}
    assert [hit.rank for hit in mixed] == [1, 2, 3]
    assert mixed.next_cursor is None
    assert [hit.id for hit in searcher.search("red", SearchOptions(k=3, diverse=1))] == [hit.id for hit in alike]
    with pytest.raises(InvalidQuery):
        searcher.search("red", SearchOptions(diverse=1.5))
    with pytest.raises(InvalidQuery, match="one page"):
        searcher.search("red", SearchOptions(diverse=0.5, cursor="x"))
    assert (
        searcher.search("red", SearchOptions(diverse=0.5, filters=Filters(within=(album / "more",))))[0].path.stem
        == "yellow"
    )


# Long texts and ensembles


class Short(FakeEncoder):
    """Reads five words."""

    def __init__(self) -> None:
        super().__init__()
        self.context_length = 5

    def count_tokens(self, text: str) -> int:
        return len(text.split()) if text.isascii() else len(text)


def test_long_text_is_split_into_sentences_that_fit() -> None:
    text = "One two. Three four five! Six seven eight nine ten eleven twelve. End"
    found = fit_to_context(text, Short(), "split")
    assert found.pieces == ("One two. Three four five!", "Six seven eight nine ten", "eleven twelve. End")
    assert found.note is not None
    assert "13 tokens" in found.note
    assert fit_to_context("红色的狗在雪地里跑。蓝色的", Short(), "split").pieces == (
        "红色的狗在",
        "雪地里跑。",
        "蓝色的",
    )


def test_long_text_is_cut_off_when_that_is_asked_for() -> None:
    found = fit_to_context("one two three four five six", Short(), "truncate")
    assert found.pieces == ("one two three four five",)
    assert found.note is not None
    assert "cut off" in found.note
    assert fit_to_context("one two three four five", Short(), "truncate").note is None


@given(st.text(st.sampled_from("ab .!?\n雪。"), max_size=60))
def test_no_piece_is_too_long_and_no_letter_is_lost(text: str) -> None:
    found = fit_to_context(text, Short(), "split").pieces
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(Short().count_tokens(piece) <= 5 for piece in found)


def test_what_was_done_to_a_long_text_is_said(library: Library, album: Path) -> None:
    index(library, [album], Short())
    searcher = Searcher(library, Short())
    long = "red and red red . blue and blue blue ."
    split, cut = searcher.search(long), searcher.search(long, SearchOptions(long_texts="truncate"))
    assert len(split.notes) == len(cut.notes) == 1
    assert cut[0].path.stem == "red"
    assert cut[0].score == pytest.approx(1, abs=1e-3)
    assert {hit.path.stem: hit.score for hit in split}["red"] < 0.8  # half of it is blue
    assert searcher.search("red").notes == ()


def test_an_ensemble_is_the_mean_of_sentences(searcher: Searcher, encoder: FakeEncoder) -> None:
    vectors = encoder.encode_texts([template.replace("{}", "red") for template in TEMPLATES["en"]])
    np.testing.assert_allclose(
        searcher.embed(Query.of("red"), SearchOptions(prompt_ensemble="en")), unit(vectors.mean(axis=0)), atol=1e-6
    )
    assert apply_templates("{a}", "de")[1] == "ein Foto von {a}"
    with pytest.raises(InvalidQuery, match="no sentences"):
        searcher.search("red", SearchOptions(prompt_ensemble="xx"))


def test_every_template_holds_the_words_once() -> None:
    assert all(template.count("{}") == 1 for templates in TEMPLATES.values() for template in templates)


def test_many_queries_are_answered_as_one_by_one(searcher: Searcher, album: Path) -> None:
    few = Filters(within=(album / "more",))
    for min_score in (None, 0.9):
        plain = SearchOptions(k=3, min_score=min_score)
        queries: list[tuple[Query | str, SearchOptions]] = [
            (Query.of("red"), plain),
            ("blue", replace(plain, filters=few)),
            (Query.of(["red", "green"]), plain),
            ("red", replace(plain, min_score=-1, sort="date")),
            ("green", replace(plain, diverse=0.3)),
        ]
        assert searcher.search_many(queries) == [searcher.search(query, options) for query, options in queries]
    assert searcher.search_many([]) == []
