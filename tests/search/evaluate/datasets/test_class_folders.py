"""Data sets in folders of classes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import DatasetError
from search.evaluate.datasets import Caption, open_dataset

Write = Callable[..., Path]
Touch = Callable[..., None]


def test_every_image_of_a_class_is_relevant(touch: Touch, tmp_path: Path) -> None:
    touch("great_grey_owl/1.jpg", "great_grey_owl/2.png", "dog/1.JPEG", "dog/.hidden.jpg", "readme.txt")
    dataset = open_dataset(tmp_path)
    assert dataset.images == ("dog/1.JPEG", "great_grey_owl/1.jpg", "great_grey_owl/2.png")
    assert dataset.captions == (
        Caption("dog", "a photo of a dog", "en", {"dog/1.JPEG": 1}),
        Caption(
            "great_grey_owl",
            "a photo of a great grey owl",
            "en",
            {"great_grey_owl/1.jpg": 1, "great_grey_owl/2.png": 1},
        ),
    )
    assert open_dataset(tmp_path, template="{}, drawn").captions[0].text == "dog, drawn"


@pytest.mark.parametrize("name", ["classes.txt", "LOC_synset_mapping.txt"])
def test_class_names_are_read_from_a_file(touch: Touch, write: Write, tmp_path: Path, name: str) -> None:
    touch("n01440764/1.jpg", "n01484850/1.jpg")
    write(name, "n01440764 tench, Tinca tinca", "n01484850\tgreat white shark, white shark")
    texts = [caption.text for caption in open_dataset(tmp_path).captions]
    assert texts == ["a photo of a tench", "a photo of a great white shark"]
    write(name, "n01440764")
    with pytest.raises(DatasetError, match=f"{name}, line 1: the folder and the name of a class were expected"):
        open_dataset(tmp_path)


def test_names_of_classes_in_the_order_of_the_folders(touch: Touch, write: Write, tmp_path: Path) -> None:
    touch("birds/b/1.jpg", "birds/a/1.jpg", "birds/a/2.jpg")
    names = write("names.json", '{"birds": ["great auk", "dodo"]}')
    dataset = open_dataset(tmp_path / "birds", class_names=names)
    assert [(caption.id, caption.text) for caption in dataset.captions] == [
        ("a", "a photo of a great auk"),
        ("b", "a photo of a dodo"),
    ]
    assert dataset.task == "classification"
    with pytest.raises(DatasetError, match="1 names for 2 folders of classes"):
        open_dataset(tmp_path / "birds", class_names=write("names.txt", "dodo"))


def test_split_folders(touch: Touch, tmp_path: Path) -> None:
    touch("train/dog/1.jpg", "val/dog/1.jpg", "val/cat/2.jpg")
    dataset = open_dataset(tmp_path, "val")
    assert dataset.images == ("val/cat/2.jpg", "val/dog/1.jpg")
    assert [(caption.id, dict(caption.images)) for caption in dataset.captions] == [
        ("cat", {"val/cat/2.jpg": 1}),
        ("dog", {"val/dog/1.jpg": 1}),
    ]
    everything = open_dataset(tmp_path, "all")
    assert [(caption.id, len(caption.images)) for caption in everything.captions] == [("cat", 1), ("dog", 2)]


def test_invalid_templates_and_folders_are_rejected(touch: Touch, tmp_path: Path) -> None:
    touch("dog/1.jpg")
    with pytest.raises(DatasetError, match=r"the template 'dog' has no \{\} for the name of the class"):
        open_dataset(tmp_path, template="dog")
    touch("stray.jpg")
    with pytest.raises(DatasetError, match=r"stray.jpg is not in the folder of a class"):
        open_dataset(tmp_path)
    touch("dog/puppies/1.jpg")
    (tmp_path / "stray.jpg").unlink()
    with pytest.raises(DatasetError, match=r"dog/puppies/1.jpg is not in the folder of a class"):
        open_dataset(tmp_path)


def test_class_folders_may_be_links(touch: Touch, tmp_path: Path) -> None:
    touch("all/n1/1.jpg", "all/n2/1.jpg", "some/own/1.jpg")
    (tmp_path / "some" / "n1").symlink_to(tmp_path / "all" / "n1")
    (tmp_path / "some" / "n1" / "up").symlink_to(tmp_path / "all")
    assert open_dataset(tmp_path / "some").images == ("n1/1.jpg", "own/1.jpg")
