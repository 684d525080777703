"""Relevance: the logistic function, and how well the built-in calibration separates right from wrong hits."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidQuery, RelevanceNotCalibrated
from encoders.fake import FakeEncoder
from encoders.mini.encoder import WEIGHTS, MiniEncoder
from indexer import index
from search import Query, Searcher, SearchOptions
from search.relevance import KINDS, Calibration, Kind, Scale, calibration_of, min_relevant_score
from store import Library

CALIBRATION = WEIGHTS / "calibration.json"
GALLERY = Path(__file__).parents[2] / "examples" / "gallery"
PHOTO_CAPTIONS = (
    "A black dog is running along the beach .",
    "Two men in suits are talking in an office .",
    "A boy in a baseball uniform slides into base .",
    "A woman with a pierced nose is smiling at the camera .",
    "Zwei Fußballspieler kämpfen um den Ball .",
    "Un groupe de personnes attend devant un restaurant .",
    "Muž v přilbě jede na motocyklu po závodní dráze .",
    "一个女孩在荡秋千",
    "两个男人在打篮球",
    "رجل يتسلق صخرة",
)
"""Captions that match no picture of the gallery."""

PLAIN = Calibration(
    "w",
    np.array([0.0, 1.0], np.float32),
    {"word": Scale(10, -4, -5, likely=0.7, unlikely=0.2, precision=0.8), "picture": Scale(20, 0, -16)},
)


def test_relevance_is_the_logistic_function() -> None:
    query = np.array([1, 0], np.float32)
    scores = np.array([0.5, 0.5 + np.log(3) / 10, 0.5 - np.log(3) / 10])
    np.testing.assert_allclose(PLAIN.relevance(scores, query, "word"), [0.5, 0.75, 0.25])
    np.testing.assert_allclose(PLAIN.relevance(np.array([0.8]), query, "picture"), [0.5])
    # A query that is similar to everything needs a higher score: 4 * 0.6 in the logit are 0.24 in the score.
    generic = np.array([0.8, 0.6], np.float32)
    np.testing.assert_allclose(PLAIN.relevance(np.array([0.74]), generic, "word"), [0.5], atol=1e-6)


def test_words_of_many_tokens_are_less_relevant() -> None:
    """A coefficient of -2 and three tokens take 2 log 3 from the logit, and 0.2 log 3 more score is needed."""
    scale = replace(PLAIN.scales["word"], tokens=-2.0)
    calibration = replace(PLAIN, scales={"word": scale})
    query = np.array([1, 0], np.float32)
    np.testing.assert_allclose(calibration.relevance(np.array([0.5]), query, "word", 3), [1 / 10])  # odds of 1 to 9
    needed = min_relevant_score(query, calibration, "word", "m", 3) - min_relevant_score(
        query, calibration, "word", "m"
    )
    assert needed == pytest.approx(0.2 * np.log(3))
    np.testing.assert_allclose(calibration.relevance(np.array([0.5]), query, "word"), [0.5])


def shipped(encoder: MiniEncoder) -> Calibration:
    found = calibration_of(encoder)
    assert found is not None
    return found


@given(st.lists(st.floats(-1, 1), max_size=20), st.floats(0, 2 * np.pi))
def test_relevance_is_a_probability_that_grows_with_score(scores: list[float], angle: float) -> None:
    query = np.array([np.cos(angle), np.sin(angle)], np.float32)
    for scales in (PLAIN.scales, *(shipped(encoder).scales for encoder in MiniEncoder.versions())):
        calibration = replace(PLAIN, scales=scales)
        for kind in scales:
            found = calibration.relevance(np.sort(scores), query, kind)
            assert found.shape == (len(scores),)
            assert ((found >= 0) & (found <= 1)).all()
            assert (np.diff(found) >= 0).all()


def test_verdict_is_left_open_between_the_limits() -> None:
    scale = PLAIN.scales["word"]
    assert [scale.verdict(relevance) for relevance in (0.9, 0.7, 0.69, 0.2, 0.19)] == [True, True, None, None, False]
    assert [PLAIN.scales["picture"].verdict(relevance) for relevance in (0.5, 0.49)] == [True, False]


def test_lowest_relevant_score_is_that_of_a_likely_hit() -> None:
    query = np.array([1, 0], np.float32)
    assert min_relevant_score(query, PLAIN, "word", "m") == pytest.approx(0.5 + np.log(7 / 3) / 10, abs=1e-5)
    assert min_relevant_score(query, PLAIN, "picture", "m") == pytest.approx(0.8, abs=1e-5)


@pytest.mark.parametrize(
    ("calibration", "kind", "says"),
    [
        (None, "word", "the model m"),
        (None, None, "the model m"),
        (replace(PLAIN, scales={}), "word", "the model m"),
        (PLAIN, "sentence", "sentences as queries to the model m"),
        (PLAIN, None, "queries of several parts"),
    ],
)
def test_error_says_what_is_not_calibrated(calibration: Calibration | None, kind: Kind | None, says: str) -> None:
    with pytest.raises(RelevanceNotCalibrated, match=f"not calibrated for {says}"):
        min_relevant_score(np.array([1, 0], np.float32), calibration, kind, "m")


def test_calibration_round_trips_through_file(tmp_path: Path) -> None:
    PLAIN.write(tmp_path / "a.json")
    again = Calibration.read(tmp_path / "a.json")
    assert (again.weights, dict(again.scales)) == (PLAIN.weights, dict(PLAIN.scales))
    np.testing.assert_array_equal(again.background, PLAIN.background)


@pytest.mark.parametrize("encoder", list(MiniEncoder.versions()), ids=lambda encoder: encoder.space.weights[:3])
def test_shipped_calibration_matches_shipped_weights(
    encoder: MiniEncoder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert encoder.calibration is not None
    assert encoder.calibration.stat().st_size < 10_000
    found = shipped(encoder)
    assert found.background.shape == (encoder.space.dim,)
    assert set(found.scales) <= set(KINDS)
    assert "sentence" in found.scales
    for scale in found.scales.values():
        assert scale.slope > 0
        assert 0 < scale.unlikely <= scale.likely < 1
    content = json.loads(encoder.calibration.read_text()) | {"weights": "others"}
    (tmp_path / "other.json").write_text(json.dumps(content))
    monkeypatch.setattr(MiniEncoder, "calibration", tmp_path / "other.json")
    assert calibration_of(encoder) is None
    assert calibration_of(FakeEncoder()) is None
    assert calibration_of(None) is None


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    """The rendered gallery, indexed with `mini`."""
    library = Library.open(tmp_path_factory.mktemp("gallery") / "library", create=True)
    index(library, [GALLERY], MiniEncoder())
    return Searcher(library)


def answered(searcher: Searcher, questions: Sequence[str]) -> float:
    """Return the share of queries with a relevant hit."""
    return float(np.mean([bool(searcher.search(text, SearchOptions(k=1, relevant=True))) for text in questions]))


def test_relevant_separates_answered_from_unanswered_queries(gallery: Searcher) -> None:
    """About the newest version of `mini`; docs/relevance.md has the rates of all captions."""
    lines = (GALLERY / "captions.jsonl").read_text(encoding="utf-8").splitlines()
    captions = [json.loads(line) for line in lines]
    for lang in ("en", "zh", "ar", "de", "fr", "cs"):
        texts = [row["caption"] for row in captions if row["lang"] == lang]
        assert answered(gallery, texts[::5]) >= 0.93, lang
    assert answered(gallery, PHOTO_CAPTIONS) <= 0.2
    best = [gallery.search(text, k=1)[0].relevance for text in PHOTO_CAPTIONS]
    assert float(np.mean(np.array(best, float))) < 0.2


def test_relevant_keeps_only_relevant_hits(gallery: Searcher) -> None:
    text = "a snowman with a red scarf and a brown dog in a snowy field"
    hits = gallery.search(text, k=40)
    likely = [hit.relevance for hit in hits if hit.relevance is not None]
    assert len(likely) == 40
    assert likely == sorted(likely, reverse=True)
    good = [hit for hit in hits if hit.is_relevant]
    assert 0 < len(good) < 40
    assert gallery.search(text, SearchOptions(k=40, relevant=True)).hits == tuple(good)
    assert gallery.search(text, k=40) == hits


@pytest.mark.parametrize("text", ["tractor", "a lighthouse", "Schneemann", "拖拉机", "weathervane"])
def test_verdicts_of_words_agree_with_the_search_for_relevant_hits(gallery: Searcher, text: str) -> None:
    hits = gallery.search(text, k=100)
    assert len(hits) == 100
    relevant = gallery.search(text, SearchOptions(k=100, relevant=True)).hits
    assert relevant == tuple(hit for hit in hits if hit.is_relevant)


def test_article_does_not_make_a_word_rare(gallery: Searcher) -> None:
    scale = shipped(MiniEncoder()).scales["word"]
    assert scale.tokens is not None
    assert scale.tokens < 0
    (plain,), (with_article,) = (gallery.search(text, k=1) for text in ("tractor", "a tractor"))
    assert plain.relevance is not None
    assert with_article.relevance is not None
    logits = [np.log(each / (1 - each)) for each in (plain.relevance, with_article.relevance)]
    # What remains is the score and the similarity to the background; one more token would take 0.77 from the logit.
    assert logits[1] - logits[0] == pytest.approx(scale.slope * (with_article.score - plain.score), abs=0.2)


def test_image_queries_use_their_own_scale(gallery: Searcher, tmp_path: Path) -> None:
    picture = next(GALLERY.glob("winter/*.jpg"))
    (best, *_) = gallery.similar(picture, SearchOptions(k=1, relevant=True))
    assert best.path.parent.name == "winter"
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(picture.read_bytes() + b"\0")  # different bytes, so that it is embedded again
    (itself,) = gallery.search(Query.of(images=outside), k=1)
    assert itself.path == picture
    assert itself.relevance is not None
    assert itself.relevance > 0.9
    assert [hit.relevance for hit in gallery.similar(outside, k=1)] == [itself.relevance]


def test_mixed_query_has_no_relevance(gallery: Searcher) -> None:
    query = Query.of(["snow"], next(GALLERY.glob("winter/*.jpg")))
    assert [hit.relevance for hit in gallery.search(query, k=2)] == [None, None]
    with pytest.raises(InvalidQuery, match="several parts"):
        gallery.search(query, SearchOptions(relevant=True))


@pytest.mark.parametrize("pictures", [0, 1, 2])
def test_relevance_does_not_depend_on_library(gallery: Searcher, tmp_path: Path, pictures: int) -> None:
    chosen = [hit.path for hit in gallery.search("a snowman in the snow", k=pictures)] if pictures else []
    folder = tmp_path / "few"
    folder.mkdir()
    for path in chosen:
        (folder / path.name).write_bytes(path.read_bytes())
    with Library.open(tmp_path / "few-library", create=True) as library:
        index(library, [folder], MiniEncoder())
        hits = Searcher(library).search("a snowman in the snow")
    among_many = {hit.path.name: hit for hit in gallery.search("a snowman in the snow", k=10)}
    assert {hit.path.name for hit in hits} == {path.name for path in chosen}
    for hit in hits:
        assert hit.relevance == pytest.approx(among_many[hit.path.name].relevance, abs=1e-5)


def test_identical_vectors_are_equally_relevant(tmp_path: Path, gallery: Searcher) -> None:
    best = gallery.search("a snowman with a red scarf and a brown dog in a snowy field", k=1)[0].path.read_bytes()
    (tmp_path / "same").mkdir()
    for number in range(3):
        (tmp_path / "same" / f"{number}.jpg").write_bytes(best + b"\0" * number)
    with Library.open(tmp_path / "same-library", create=True) as library:
        index(library, [tmp_path / "same"], MiniEncoder())
        hits = Searcher(library).search(
            "a snowman with a red scarf and a brown dog in a snowy field",
            SearchOptions(relevant=True, collapse_duplicates=False),
        )
    assert len(hits) == 3
    assert len({hit.relevance for hit in hits}) == 1


def test_model_without_calibration_has_no_relevance(library: Library, album: Path, encoder: FakeEncoder) -> None:
    index(library, [album], encoder)
    searcher = Searcher(library, encoder)
    assert {hit.relevance for hit in [*searcher.search("red"), *searcher.similar(album / "red.png")]} == {None}
    for ask in (searcher.search, searcher.similar):
        with pytest.raises(InvalidQuery, match="the model fake"):
            ask(str(album / "red.png"), SearchOptions(relevant=True))


@pytest.mark.parametrize(
    ("text", "word"), [("weathervane", "weathervane"), ("der Schneemann", "schneemann"), ("头盔", "头盔")]
)
def test_searches_count_the_tokens_of_a_word(gallery: Searcher, text: str, word: str) -> None:
    """By hand: the logit of the first hit."""
    encoder = MiniEncoder()
    calibration = shipped(encoder)
    scale, tokens = calibration.scales["word"], encoder.count_tokens(word)
    assert scale.tokens is not None
    assert tokens > 1
    (hit,) = gallery.search(text, k=1)
    background = float(encoder.encode_texts([text])[0] @ calibration.background)
    logit = scale.slope * hit.score + scale.tilt * background + scale.constant + scale.tokens * np.log(tokens)
    assert hit.relevance == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-5)
    without = 1 / (1 + np.exp(-(logit - scale.tokens * np.log(tokens))))
    assert abs(hit.relevance - without) > 0.1
