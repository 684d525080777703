"""Queries with known answers, on a folder of a few pictures with captions."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from encoders.fake import FakeEncoder
from search.query_kind import text_kind
from training.corpora import LANGUAGES
from training.questions import Embeddings, Questions, outdoors

TRAINING = Path(__file__).parents[2] / "training"
COLORS = ("red", "green", "blue", "white")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return four dev photos with five captions each. The captions of the first two mention a colour and a dog."""
    rows = []
    images = tmp_path / "flickr8k" / "images"
    images.mkdir(parents=True)
    for number, color in enumerate(COLORS):
        Image.new("RGB", (32, 32), color).save(images / f"{number}.png")
        for caption in range(5):
            text = (
                f"A {color} dog runs ." if number < 2 and caption < 4 - 2 * number else f"Something {color} is there ."
            )
            rows.append({"image": f"images/{number}.png", "caption": text, "lang": "en", "split": "dev"})
    for lang in LANGUAGES:
        lines = rows if lang == "en" else []
        file = tmp_path / "flickr8k" / f"captions.{lang}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in lines), encoding="utf-8")
    return tmp_path


@pytest.fixture
def questions(data: Path, tmp_path: Path) -> Questions:
    return Questions(data, Embeddings(FakeEncoder(), tmp_path / "kept"))


def test_photo_is_right_if_two_captions_mention_the_word(questions: Questions) -> None:
    asked = questions.words("everyday_words.json", "words")
    ideas = json.loads((TRAINING / "everyday_words.json").read_text(encoding="utf-8"))
    dog = [idea["names"]["en"] for idea in ideas].index("dog") * len(LANGUAGES)
    assert asked.counts is not None
    assert asked.counts[dog].tolist() == [4, 2, 0, 0]  # of five captions each
    assert asked.right[dog].tolist() == [True, True, False, False]
    assert asked.scores.shape == (len(ideas) * len(LANGUAGES), 4)
    assert asked.langs[dog : dog + len(LANGUAGES)].tolist() == list(LANGUAGES)


def test_judgement_decides_and_one_caption_does_for_the_other_photos(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The captions of the photos mention a dog four times, twice, and not at all."""
    monkeypatch.setattr("training.questions.read_judgements", lambda: {"dog": {"0.png": False, "2.png": True}})
    asked = questions.words("everyday_words.json", "words")
    ideas = json.loads((TRAINING / "everyday_words.json").read_text(encoding="utf-8"))
    dog = [idea["names"]["en"] for idea in ideas].index("dog") * len(LANGUAGES)
    assert asked.right[dog : dog + 6].tolist() == [[False, True, True, False]] * 6
    assert asked.by_captions().right[dog].tolist() == [True, True, False, False]
    assert asked.only(asked.langs == "de").right[dog // 6].tolist() == [False, True, True, False]

    taken = asked.taken_out()
    assert taken.scores[dog, :3].tolist() == [-1, -1, -1]  # mentioned or judged to show it
    assert taken.scores[dog, 3] == asked.scores[dog, 3]
    assert not taken.right.any()


def test_one_caption_is_enough_only_for_words_with_judgements(questions: Questions) -> None:
    """Without judgements of these photos, two of five captions are needed."""
    asked = questions.words("everyday_words.json", "words")
    assert asked.counts is not None
    np.testing.assert_array_equal(asked.right, asked.counts >= 2)
    seen = np.full(asked.counts.shape, -1, np.int8)
    seen[:, 3] = 0
    np.testing.assert_array_equal(replace(asked, judged=seen).right[:, :3], asked.counts[:, :3] >= 1)


def test_phrase_needs_all_its_words_in_one_caption(questions: Questions) -> None:
    asked = questions.words("phrases.json", "phrases")
    phrases = json.loads((TRAINING / "phrases.json").read_text(encoding="utf-8"))
    names = [phrase["names"]["en"] for phrase in phrases]
    assert asked.counts is not None
    assert asked.counts[names.index("a running dog") * 6].tolist() == [4, 2, 0, 0]
    assert asked.counts[names.index("white dog") * 6].tolist() == [0, 0, 0, 0]  # the white one shows no dog


def test_picture_is_right_if_it_shows_a_subject_of_the_query(questions: Questions) -> None:
    """Four captions of the first photo mention a dog that runs, and two of the second one."""
    asked = questions.pictures()
    assert asked.right.tolist() == [[False, True, False, False]]  # a picture does not answer itself
    assert asked.scores[0, 0] == -1
    assert asked.kinds.tolist() == ["picture"]


def test_halves_are_by_idea(questions: Questions) -> None:
    for file in ("everyday_words.json", "phrases.json"):
        halves = questions.words(file, file).halves.reshape(-1, len(LANGUAGES))
        assert (halves == halves[:, :1]).all()
        assert 0.4 < halves.mean() < 0.6


def test_lists_name_every_idea_in_every_language() -> None:
    for file in ("everyday_words.json", "phrases.json"):
        ideas = json.loads((TRAINING / file).read_text(encoding="utf-8"))
        assert all(set(idea["names"]) == set(LANGUAGES) for idea in ideas)
    words = json.loads((TRAINING / "everyday_words.json").read_text(encoding="utf-8"))
    assert {text_kind(word["names"][lang]) for word in words for lang in ("en", "de")} == {"word"}
    assert all(set(idea) == set(LANGUAGES) for idea in json.loads((TRAINING / "unanswered.json").read_text("utf-8")))


def test_words_for_things_in_houses_are_left_out(questions: Questions) -> None:
    asked = questions.words("everyday_words.json", "words")
    kept = outdoors(asked, "everyday_words.json")
    assert 0 < len(kept.scores) < len(asked.scores)
    assert len(kept.scores) % len(LANGUAGES) == 0


def test_embeddings_are_kept_until_their_texts_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings = Embeddings(FakeEncoder(), tmp_path)
    first = embeddings.texts("colours", ["red", "blue"])
    monkeypatch.setattr(FakeEncoder, "encode_texts", lambda _self, texts: np.zeros((len(texts), 3), np.float32))
    np.testing.assert_array_equal(embeddings.texts("colours", ["red", "blue"]), first)
    assert not embeddings.texts("colours", ["red", "green"]).any()  # computed again
