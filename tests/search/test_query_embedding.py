"""Query vectors: the weighted sum of texts, pictures, stored vectors and given vectors."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidQuery
from encoders.fake import FakeEncoder
from indexer import index
from search import Crop, ImageInput, Part, Query, Searcher, SearchOptions, StoredInput, TextInput, VectorInput
from search.prompt_templates import TEMPLATES, apply_templates
from search.query_language import parse
from store import Library

Paint = Callable[..., Path]


def unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / np.linalg.norm(vector))


def test_query_vector_is_weighted_sum_of_parts(
    searcher: Searcher, encoder: FakeEncoder, tmp_path: Path, paint: Paint
) -> None:
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


def test_picture_in_library_uses_stored_vector(
    library: Library, album: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(library, [album], encoder)
    searcher = Searcher(library, encoder)

    def refuse(*_: object) -> None:
        raise AssertionError("it was embedded again")

    monkeypatch.setattr(encoder, "encode_images", refuse)
    (red,) = searcher.search(Query((Part(ImageInput(album / "red.png")),)), k=1)
    assert (red.path.name, round(red.score, 3)) == ("red.png", 1.0)
    with pytest.raises(AssertionError, match="embedded again"):
        searcher.search(Query((Part(ImageInput(album / "red.png", Crop.parse("0,0,2,2"))),)))


def test_weight_of_a_single_part_has_no_effect(searcher: Searcher) -> None:
    assert searcher.search(Query((Part(TextInput("red"), 3),))) == searcher.search("red")


def test_explain_returns_cosine_of_each_part(searcher: Searcher, encoder: FakeEncoder) -> None:
    query = parse("red + 0.5:blue - green").query
    assert query is not None
    plain, hits = searcher.search(query), searcher.search(query, SearchOptions(explain=True))
    assert [(hit.id, hit.score) for hit in hits] == [(hit.id, hit.score) for hit in plain]
    assert all(hit.parts is None for hit in plain)
    for hit in hits:
        (own,) = encoder.encode_texts([{"lime": "green"}.get(hit.path.stem, hit.path.stem)])
        np.testing.assert_allclose(hit.parts or (), encoder.encode_texts(["red", "blue", "green"]) @ own, atol=1e-3)


def test_unknown_id_and_wrong_vector_length_raise(searcher: Searcher) -> None:
    for source in (StoredInput(999), StoredInput(10**17), VectorInput((1.0, 2.0))):
        with pytest.raises(InvalidQuery):
            searcher.search(Query((Part(source),)))


def test_parts_that_cancel_out_raise(searcher: Searcher) -> None:
    with pytest.raises(InvalidQuery, match="cancel"):
        searcher.search(Query((Part(TextInput("red")), Part(TextInput("red"), -1))))


def test_prompt_ensemble_is_mean_of_templates(searcher: Searcher, encoder: FakeEncoder) -> None:
    vectors = encoder.encode_texts([template.replace("{}", "red") for template in TEMPLATES["en"]])
    np.testing.assert_allclose(
        searcher.embed(Query.of("red"), SearchOptions(prompt_ensemble="en")), unit(vectors.mean(axis=0)), atol=1e-6
    )
    assert apply_templates("{a}", "de")[1] == "ein Foto von {a}"
    with pytest.raises(InvalidQuery, match="no prompt templates"):
        searcher.search("red", SearchOptions(prompt_ensemble="xx"))


def test_every_template_has_one_placeholder() -> None:
    assert all(template.count("{}") == 1 for templates in TEMPLATES.values() for template in templates)
