"""Captions in CSV tables, as Kaggle has Flickr8k and Flickr30k, and as spreadsheets write them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import DatasetError
from search.evaluate.datasets import open_dataset

Write = Callable[..., Path]
Touch = Callable[..., None]


def captions(path: Path) -> list[tuple[str, str, str, list[str]]]:
    return [(each.id, each.text, each.lang, list(each.images)) for each in open_dataset(path).captions]


def test_flickr8k_of_kaggle(write: Write, touch: Touch, tmp_path: Path) -> None:
    touch("archive/Images/a.jpg", "archive/Images/b.jpg")
    table = write(
        "archive/captions.txt", "image,caption", "a.jpg,A child .", 'a.jpg,"A ""big"" girl, going"', "b.jpg,A dog ."
    )
    expected = [
        ("a.jpg#und#0", "A child .", "und", ["a.jpg"]),
        ("a.jpg#und#1", 'A "big" girl, going', "und", ["a.jpg"]),
        ("b.jpg#und#0", "A dog .", "und", ["b.jpg"]),
    ]
    assert captions(table) == expected
    assert captions(tmp_path / "archive") == expected
    assert open_dataset(table).root == tmp_path / "archive" / "Images"


def test_flickr30k_of_kaggle(write: Write, touch: Touch) -> None:
    """One row of the published table has no delimiter after the number."""
    touch("flickr30k_images/a.jpg", "flickr30k_images/b.jpg")
    rows = ('a.jpg| 0| A "dog" , a cat .', "a.jpg| 4   A dog runs .", "b.jpg| 0| A cat .")
    assert captions(write("results.csv", "image_name| comment_number| comment", *rows)) == [
        ("a.jpg#0", 'A "dog" , a cat .', "en", ["a.jpg"]),
        ("a.jpg#4", "A dog runs .", "en", ["a.jpg"]),
        ("b.jpg#0", "A cat .", "en", ["b.jpg"]),
    ]


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs"])).filter(str.strip), min_size=1
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_tables_of_spreadsheets(tmp_path: Path, texts: list[str], delimiter: str, encoding: str, named: bool) -> None:
    quoted = ['"' + text.replace('"', '""') + '"' for text in texts]
    rows = [f"de{delimiter}a.jpg{delimiter}{text}" for text in quoted]
    head = [f"sep={delimiter}"] * named + [f"Language{delimiter}Filename{delimiter}Caption"]
    table = tmp_path / "table.csv"
    table.write_bytes("\r\n".join([*head, *rows, ""]).encode(encoding))
    dataset = open_dataset(table, check_files=False)
    assert [caption.text for caption in dataset.captions] == [" ".join(text.split()) for text in texts]
    assert dataset.languages == ("de",)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (
            "a.jpg,A girl, going",
            "table.csv, line 3: expected 2 cells, found 3; a cell that contains ',' needs quotation",
        ),
        ("a.jpg", "table.csv, line 3: expected 2 cells, found 1"),
        ("a.jpg, ", "table.csv, line 3: the caption of 'a.jpg' is empty; write a text"),
        ('a.jpg,"A girl', "table.csv, line 3: not CSV .a quotation mark is not closed"),
        ('a.jpg,"A" girl', "table.csv, line 3: not CSV .quotation marks in a cell must be doubled"),
        ("../a.jpg,A girl", "table.csv, line 3: '../a.jpg' is not a path"),
    ],
)
def test_invalid_rows_name_the_line(write: Write, touch: Touch, row: str, complaint: str) -> None:
    touch("a.jpg")
    with pytest.raises(DatasetError, match=complaint):
        open_dataset(write("table.csv", "image,caption", "a.jpg,A dog", row))


@pytest.mark.parametrize("lines", [("image,label", "a.jpg,dog"), ("a.jpg,A dog",), ("image,caption",)])
def test_other_tables_are_not_data_sets(write: Write, lines: tuple[str, ...]) -> None:
    with pytest.raises(DatasetError, match=r"not a data set in a known format|no rows below the header"):
        open_dataset(write("table.csv", *lines))
    with pytest.raises(DatasetError, match=r"no table with a header|no rows below"):
        open_dataset(write("table.csv", *lines), format="csv")
