"""Judgements of words: precision by them, and contact sheets for more of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.evaluate import everyday_words
from training.judgements import (
    add_answers,
    draw_sheets,
    interval,
    judged,
    judged_precision_at_ten,
    pool,
    read_judgements,
    write_judgements,
)

REPOSITORY = Path(__file__).parents[2]
NAMES = [f"{number:02d}.jpg" for number in range(12)]


def test_every_word_has_judgements_and_they_are_not_all_alike() -> None:
    judgements = read_judgements()
    assert list(judgements) == [word.names["en"] for word in everyday_words()]
    assert all(len(photos) >= 20 for photos in judgements.values())  # the English ranking alone
    shown = [shows for photos in judgements.values() for shows in photos.values()]
    assert 0.3 < np.mean(shown) < 0.8


def test_counts_of_the_model_card_are_those_of_the_judgements() -> None:
    shown = [sum(photos.values()) for photos in read_judgements().values()]
    card = " ".join((REPOSITORY / "encoders" / "mini" / "MODEL_CARD.md").read_text(encoding="utf-8").split())
    assert f"all {sum(map(len, read_judgements().values())):,} judgements" in card
    assert f"of {sum(number < 10 for number in shown)} words, fewer than ten of all judged photos" in card
    assert f"so that {np.mean(np.minimum(shown, 10)) / 10:.3f} is the highest possible value" in card


def test_photos_without_a_judgement_are_unknown() -> None:
    found = judged(["dog", "cat"], NAMES[:3], {"dog": {"00.jpg": True, "02.jpg": False}})
    assert found.tolist() == [[1, -1, 0], [-1, -1, -1]]


def test_precision_by_judgement_counts_the_first_ten() -> None:
    """The photos 2 to 11 are the first ten of the second word, and three of them show it."""
    scores = np.stack([np.arange(12, 0, -1), np.arange(12)], axis=1).astype(np.float32)
    judgements = {"dog": dict.fromkeys(NAMES, True), "cat": {name: name < "05.jpg" for name in NAMES[2:]}}
    assert judged_precision_at_ten(scores, ["dog", "cat"], NAMES, judgements).tolist() == [1.0, 0.3]


def test_missing_judgements_are_named() -> None:
    scores = np.arange(12, 0, -1).astype(np.float32)[:, None]
    judgements = {"dog": dict.fromkeys(NAMES[:9], True)}
    with pytest.raises(ValueError, match=r"1 photos are not judged for a word: dog: 09\.jpg$"):
        judged_precision_at_ten(scores, ["dog"], NAMES, judgements)


def test_interval_contains_the_mean_and_narrows_with_more_values() -> None:
    few, many = np.array([0.0, 1.0] * 50), np.array([0.0, 1.0] * 1000)
    for values in (few, many):
        low, high = interval(values)
        assert low < 0.5 < high
    assert interval(few)[1] - interval(few)[0] == pytest.approx(0.196, abs=0.03)  # 2 * 1.96 * 0.5 / sqrt(100)
    assert interval(many)[1] - interval(many)[0] < 0.05
    assert interval(np.ones(5)) == (1.0, 1.0)


def test_pool_is_the_first_twenty_in_english_and_ten_in_others() -> None:
    english = np.arange(100, 0, -1).astype(np.float32)[:, None]
    assert pool({"en": english, "de": english[::-1]}) == [[*range(20), *range(90, 100)]]


def test_sheets_have_all_photos_and_their_answers_can_be_added(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(31)]
    for path in paths:
        Image.new("RGB", (20, 10), "red").save(path)
    sheets = draw_sheets({"dog": paths}, tmp_path / "sheets")
    assert [len(names) for names in sheets.values()] == [30, 1]
    assert sorted(name for names in sheets.values() for name in names) == sorted(path.name for path in paths)
    assert json.loads((tmp_path / "sheets" / "sheets.json").read_text(encoding="utf-8")) == sheets
    with Image.open(tmp_path / "sheets" / "dog-1.png") as sheet:
        assert sheet.size == (1440, 1200)
        assert sheet.convert("RGB").getpixel((120, 120)) == (255, 0, 0)

    found = add_answers({"cat": {"0.png": True}}, sheets, ["dog-1: 2 30", "", "dog-2:"])
    assert found["cat"] == {"0.png": True}
    shown = {name for name, shows in found["dog"].items() if shows}
    assert shown == {sheets["dog-1"][1], sheets["dog-1"][29]}
    assert len(found["dog"]) == 31


@pytest.mark.parametrize("line", ["dog-9: 1", "dog-1: 3", "dog-1: 0"])
def test_answers_to_no_sheet_or_photo_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match=f"no such sheet or number: {line}"):
        add_answers({}, {"dog-1": ["0.png", "1.png"]}, [line])


def test_judgements_are_written_with_a_line_for_each_word(tmp_path: Path) -> None:
    file = tmp_path / "judgements.json"
    judgements = {"dog": {"1.jpg": True, "0.jpg": False}, "cat": {}}
    write_judgements(judgements, file)
    assert read_judgements(file) == judgements
    assert file.read_text(encoding="utf-8").splitlines()[1] == '"dog": {"0.jpg": false, "1.jpg": true},'
