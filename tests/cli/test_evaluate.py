"""`sightline eval`: numbers computed by hand, from a model that sees colours."""

import json
import math
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import beta

from encoders import registry
from encoders.base import Encoder
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.distributions import install_plugin

Sightline = Callable[..., Any]

COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "magenta": (255, 0, 255),
    "cyan": (0, 255, 255),
    "white": (255, 255, 255),
    "red white": (255, 128, 128),
    "green white": (128, 255, 128),
    "blue white": (128, 128, 255),
    "red yellow": (255, 128, 0),
    "green cyan": (0, 255, 128),
    "blue magenta": (128, 0, 255),
}

KEYS = {
    "dataset", "split", "space", "lang", "direction", "queries", "pictures", "candidates", "mrr", "recall@1",
    "recall@5", "recall@10", "ndcg@10", "median_rank", "intervals", "level", "clusters", "unanswerable", "definitions",
}  # fmt: skip


class BlindEncoder(Encoder):
    """Gives everything the same vector, so that every relevant result is ranked last."""

    def __init__(self) -> None:
        preprocess = FakeEncoder().preprocess
        super().__init__(model="blind", weights="none", dim=2, preprocess=preprocess)

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.ones((len(pixels), 2), np.float32)

    def forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), 2), np.float32)


@pytest.fixture(scope="session")
def kept_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(kept_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embed pictures into a cache that only these tests share."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(kept_cache))


@pytest.fixture
def blind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a second model as a plug-in."""
    install_plugin(
        tmp_path / "plugin",
        monkeypatch,
        group=registry.ENCODERS.group,
        name="blind",
        target="blind_model:BlindEncoder",
        source="",
    )
    module = ModuleType("blind_model")
    module.BlindEncoder = BlindEncoder  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "blind_model", module)


def write_captions(path: Path, captions: Sequence[tuple[str, str, str]]) -> Path:
    lines = [json.dumps({"image": image, "caption": caption, "lang": lang}) for image, caption, lang in captions]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four colours; the ranks are 1, 1, 1, 1, 3 in English and 3, 4 in German, which the model does not support.

    The wrong caption "blue" of the red picture ranks blue first, and red and green equally after it. For unknown words
    the model ranks red, green and blue equally, and yellow last.
    """
    folder = tmp_path_factory.mktemp("few")
    for name in ("red", "green", "blue", "yellow"):
        Image.new("RGB", (8, 8), COLOURS[name]).save(folder / f"{name}.png")
    english = [(f"{name}.png", name, "en") for name in ("red", "green", "blue", "yellow")]
    german = [("red.png", "rot", "de"), ("yellow.png", "gelb", "de")]
    return write_captions(folder / "captions.jsonl", [*english, ("red.png", "blue", "en"), *german])


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirteen colours, each found first by its name."""
    folder = tmp_path_factory.mktemp("many")
    for name, colour in COLOURS.items():
        Image.new("RGB", (8, 8), colour).save(folder / f"{name}.png")
    return write_captions(folder / "captions.jsonl", [(f"{name}.png", name, "en") for name in COLOURS])


def test_json_has_one_record_per_language_and_a_pooled_one(sightline: Sightline, few: Path) -> None:
    answer = sightline("eval", few, "--space", "fake", "--json")
    assert (answer.code, answer.err) == (0, "")
    german, english, pooled = answer.records
    assert set(german) == set(english) == set(pooled) == KEYS
    assert [record["lang"] for record in answer.records] == ["de", "en", "all"]
    assert [record["queries"] for record in answer.records] == [2, 5, 7]
    assert english["dataset"] == few.parent.name
    assert english["split"] == "all"
    assert english["space"].startswith("fake (")
    assert english["pictures"] == english["candidates"] == 4
    assert english["mrr"] == pytest.approx((4 + 1 / 3) / 5, abs=1e-6)
    assert english["recall@1"] == 4 / 5
    assert english["recall@5"] == english["recall@10"] == 1
    assert english["ndcg@10"] == pytest.approx((4 + 1 / math.log2(4)) / 5, abs=1e-6)
    assert english["median_rank"] == 1
    assert german["mrr"] == pytest.approx((1 / 3 + 1 / 4) / 2, abs=1e-6)
    assert german["median_rank"] == 3.5
    assert pooled["mrr"] == pytest.approx((4 + 1 / 3 + 1 / 3 + 1 / 4) / 7, abs=1e-6)
    assert pooled["clusters"] == 4
    for record in answer.records:
        for metric, (low, high) in record["intervals"].items():
            assert low <= record[metric] <= high


def test_table_has_values_and_intervals(sightline: Sightline, few: Path) -> None:
    answer = sightline("eval", few, "--space", "fake", "--metrics", "mrr,recall@1,median_rank")
    assert answer.code == 0
    title, head, german, intervals, english, _, pooled, *_ = answer.lines
    assert title.endswith("4 pictures to choose from")
    assert head.split() == ["lang", "queries", "pictures", "MRR", "R@1", "median", "rank"]
    assert german.split() == ["de", "2", "4", "0.292", "0.000", "3.5"]
    # Two pictures: a beta interval around 7/24, at most 1 - 0.025^(1/2) of the pictures at rank 1, any median of ranks.
    low, high = beta.ppf([0.025, 0.975], [2 * 7 / 24, 2 * 7 / 24 + 1], [2 * 17 / 24 + 1, 2 * 17 / 24])
    assert intervals.split() == [f"{low:.3f}-{high:.3f}", "0.000-0.842", "1-4"]
    assert english.split() == ["en", "5", "4", "0.867", "0.800", "1"]
    assert pooled.split()[0] == "all"
    assert "MRR          mean of 1 / rank of the first relevant document" in answer.lines


def test_both_directions_are_measured(sightline: Sightline, few: Path) -> None:
    """For the blue picture its own "blue" and the wrong one tie: rank 2. The others find their caption first."""
    arguments = ("eval", few, "--space", "fake", "--lang", "en", "--json", "--direction")
    there, back = sightline(*arguments, "both").records
    assert (there["direction"], back["direction"]) == ("text-to-picture", "picture-to-text")
    assert (back["queries"], back["candidates"], back["pictures"]) == (4, 5, 4)
    assert back["mrr"] == (1 + 1 + 1 / 2 + 1) / 4
    assert sightline(*arguments, "picture-to-text").record == back


def test_templates_are_filled_and_averaged(sightline: Sightline, few: Path) -> None:
    """In the template "blue {}" the caption "red" is halfway between red and blue, which then tie."""
    arguments = ("eval", few, "--space", "fake", "--lang", "en", "--json", "--metrics", "mrr", "--template")
    assert sightline(*arguments, "a photo of {} things").record["mrr"] == pytest.approx((4 + 1 / 3) / 5, abs=1e-6)
    # red, green: as near to blue as to theirs, 2 each; yellow: mean of (1, 1, 0) and (0, 0, 1), where all
    # tie but yellow is first; blue first; the wrong blue third.
    record = sightline(*arguments, "blue {}").record
    assert record["mrr"] == pytest.approx((1 / 2 + 1 / 2 + 1 + 1 + 1 / 3) / 5, abs=1e-6)
    # The mean of a vector and itself is the vector.
    assert sightline(*arguments, "{}", "--template", "{} {}").record["mrr"] == pytest.approx((4 + 1 / 3) / 5, abs=1e-6)
    answer = sightline(*arguments, "a photo")
    assert answer.code == 2
    assert "has no {} for the caption" in answer.err


def test_only_pictures_of_the_split_are_embedded(sightline: Sightline, tmp_path: Path, kept_cache: Path) -> None:
    lines = []
    for split, name in (("dev", "red"), ("dev", "blue"), ("train", "green")):
        Image.new("RGB", (8, 8), COLOURS[name]).save(tmp_path / f"{name}.png")
        lines.append(json.dumps({"image": f"{name}.png", "caption": name, "lang": "en", "split": split}))
    (tmp_path / "captions.jsonl").write_text("\n".join(lines))
    (tmp_path / "other.png").write_bytes(b"not a picture, and not of the data set")
    before = set(kept_cache.glob("sightline/eval/*/*"))
    assert sightline("eval", tmp_path, "--space", "fake").code == 2  # which split?
    for split, pictures in (("dev", 2), ("train", 1), ("all", 3), ("dev", 2)):
        record = sightline("eval", tmp_path, "--space", "fake", "--split", split, "--json").record
        assert (record["candidates"], record["mrr"]) == (pictures, 1)
    (folder,) = set(kept_cache.glob("sightline/eval/*/*")) - before
    assert sightline("status", "--library", folder, "--json").record["failed"] == 0


def test_unreadable_picture_is_named(sightline: Sightline, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    answer = sightline(
        "eval", write_captions(tmp_path / "captions.jsonl", [("broken.png", "red", "en")]), "--space", "fake"
    )
    assert (answer.code, answer.out) == (2, b"")
    assert "1 pictures cannot be read: broken.png" in answer.err


def test_library_option_uses_its_vectors(sightline: Sightline, few: Path, library: Library) -> None:
    index(library, [few.parent], FakeEncoder())
    answer = sightline("eval", few, "--library", library.path, "--json", "--lang", "en")
    assert answer.record["mrr"] == pytest.approx((4 + 1 / 3) / 5, abs=1e-6)
    assert sightline("--library", library.path, "eval", few, "--json", "--lang", "en").record == answer.record
    answer = sightline("eval", few, "--library", library.path, "--space", "clop")
    assert answer.code == 2
    assert "Unknown space 'clop'" in answer.err


def test_missing_pictures_are_named(sightline: Sightline, few: Path, library: Library, tmp_path: Path) -> None:
    shutil.copytree(few.parent, tmp_path / "copy")
    (tmp_path / "copy" / "red.png").rename(tmp_path / "red.png")
    index(library, [tmp_path / "copy"], FakeEncoder())
    answer = sightline("eval", tmp_path / "copy", "--library", library.path)
    assert (answer.code, answer.out) == (2, b"")
    assert "1 pictures have no vector in fake" in answer.err
    assert "red.png" in answer.err
    assert re.search(r"`sightline --library \S+ index` embeds them", answer.err)
    answer = sightline("eval", tmp_path / "copy", "--space", "fake")
    assert (answer.code, answer.out) == (2, b"")
    assert "1 of its pictures are missing: red.png" in answer.err


def test_two_spaces_are_compared(sightline: Sightline, many: Path, blind: None) -> None:
    answer = sightline("eval", many, "--space", "fake", "--space", "blind", "--json", "--metrics", "mrr,recall@1")
    fake, other = answer.records
    assert (fake["mrr"], other["mrr"]) == (1, pytest.approx(1 / 13, abs=1e-6))
    assert fake["comparisons"] == []
    mrr, recall = other["comparisons"]
    assert (mrr["metric"], mrr["left"], mrr["better"]) == ("mrr", fake["space"], "left")
    assert mrr["difference"] == pytest.approx(1 / 13 - 1, abs=1e-6)
    assert mrr["adjusted_p"] < 0.01
    assert mrr["p"] <= mrr["adjusted_p"]
    assert recall["verdict"].endswith(f"{fake['space']} is better")
    table = sightline("eval", many, "--space", "fake", "--space", "blind", "--metrics", "mrr").text
    assert "-0.923" in table
    assert "p=0.000" in table


def test_insignificant_difference_is_reported_as_noise(sightline: Sightline, few: Path, blind: None) -> None:
    """Four pictures cannot show more than a p of 2 in 16."""
    spaces = ("--space", "fake", "--space", "blind")
    _, record = sightline("eval", few, *spaces, "--lang", "en", "--json", "--metrics", "mrr").records
    (comparison,) = record["comparisons"]
    assert comparison["p"] == 2 / 2**4
    assert comparison["better"] == "neither"
    assert "this may be noise" in sightline("eval", few, *spaces, "--lang", "en").text


def test_approximate_index_is_compared_with_exact_search(sightline: Sightline, few: Path) -> None:
    """A flat index equals exact search; at depth 1 neither finds the picture at rank 3."""
    arguments = ("eval", few, "--space", "fake", "--lang", "en", "--json", "--metrics", "mrr", "--index")
    exact, flat = sightline(*arguments, "Flat").records
    assert flat["space"] == f"{exact['space']} Flat"
    assert flat["mrr"] == exact["mrr"] == pytest.approx((4 + 1 / 3) / 5, abs=1e-6)
    _, flat, ivf = sightline(*arguments, "Flat", "--index", "IVF2,Flat:nprobe=2", "--depth", "1").records
    assert flat["mrr"] == ivf["mrr"] == 4 / 5
    assert ivf["space"] == f"{exact['space']} IVF2,Flat:nprobe=2"
    (comparison,) = ivf["comparisons"]
    assert comparison["left"] == exact["space"]  # not the previous index
    assert (comparison["depth"], comparison["difference"], comparison["left_score"]) == (1, 0, 4 / 5)
    assert (ivf["depth"], ivf["lower_bounds"]) == (1, {"mrr": 4 / 5})
    answer = sightline(*arguments, "HNSW32,Nonsense")
    assert (answer.code, answer.out) == (2, b"")
    assert "FAISS cannot build the index 'HNSW32,Nonsense'" in answer.err


def test_approximate_index_of_captions_is_built_per_language(sightline: Sightline, few: Path) -> None:
    arguments = ("eval", few, "--space", "fake", "--json", "--direction", "picture-to-text", "--metrics", "mrr")
    records = sightline(*arguments, "--index", "Flat").records
    assert [record["candidates"] for record in records] == [2, 5, 7] * 2
    assert [record["mrr"] for record in records[3:]] == [record["mrr"] for record in records[:3]]


def test_run_and_qrels_are_written(sightline: Sightline, few: Path, tmp_path: Path) -> None:
    run, qrels = tmp_path / "run.txt", tmp_path / "qrels.txt"
    answer = sightline("eval", few, "--space", "fake", "--lang", "de", "--run", run, "--qrels", qrels, "--depth", "3")
    assert answer.code == 0
    assert qrels.read_text() == "red.png#de#0 0 red.png 1\nyellow.png#de#0 0 yellow.png 1\n"
    lines = [line.split() for line in run.read_text().splitlines()]
    assert [line[0] for line in lines] == ["red.png#de#0"] * 3 + ["yellow.png#de#0"] * 3
    assert {line[2] for line in lines} == {"red.png", "green.png", "blue.png"}
    assert float(lines[0][4]) == pytest.approx(0.1 / math.sqrt(4.01), abs=1e-4)


def test_significant_drop_below_the_baseline_exits_with_3(
    sightline: Sightline, many: Path, blind: None, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.json"
    shutil.copytree(many.parent, tmp_path / "many")
    captions = tmp_path / "many" / "captions.jsonl"
    assert sightline("eval", captions, "--space", "fake", "--save", saved).code == 0
    answer = sightline("eval", captions, "--space", "fake", "--baseline", saved)
    assert answer.code == 0
    assert answer.lines[-1] == (
        "Of 6 metrics compared with the baseline, 0 dropped and 0 rose. All other differences may be noise."
    )
    captions.write_text(captions.read_text().replace('"caption": "red"', '"caption": "blue"'))  # one query worse
    answer = sightline("eval", captions, "--space", "fake", "--baseline", saved, "--json")
    assert (answer.code, answer.record["recall@1"]) == (0, pytest.approx(12 / 13, abs=1e-6))
    assert {comparison["better"] for comparison in answer.record["baseline"]} == {"neither"}
    answer = sightline("eval", captions, "--space", "blind", "--baseline", saved, "--metrics", "mrr,recall@1")
    assert answer.code == 3
    assert [line.split()[3] for line in answer.lines if line.startswith("DROPPED: ")] == ["MRR", "R@1"]
    assert answer.lines[-1] == (
        "Of 2 metrics compared with the baseline, 2 dropped and 0 rose. All other differences may be noise."
    )


def test_baseline_of_another_data_set_is_rejected(sightline: Sightline, few: Path, many: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    assert sightline("eval", many, "--space", "fake", "--save", saved, "--metrics", "mrr").code == 0
    answer = sightline("eval", few, "--space", "fake", "--baseline", saved)
    assert (answer.code, answer.out) == (2, b"")
    assert "Not in the baseline" in answer.err


def test_query_vectors_for_an_imported_space(sightline: Sightline, few: Path, library: Library, tmp_path: Path) -> None:
    """Pictures along the axes; the captions of red and green are right, the others point at red."""
    np.save(tmp_path / "pictures.npy", np.eye(4, dtype=np.float32))
    (tmp_path / "names.txt").write_text("red.png\ngreen.png\nblue.png\nyellow.png\n")
    arguments = (tmp_path / "pictures.npy", "--ids", tmp_path / "names.txt", "--space", "theirs")
    assert sightline("import", *arguments, "--library", library.path).code == 0
    np.save(tmp_path / "texts.npy", 3 * np.eye(4, dtype=np.float32)[[0, 1, 0, 0, 0]])
    evaluate = ("eval", few, "--library", library.path, "--lang", "en", "--json", "--space", "theirs")
    # In the order of the captions: red 1, green 1, blue and yellow after red and all ties, 4; red again 1.
    record = sightline(*evaluate, "--query-vectors", tmp_path / "texts.npy").record
    assert record["mrr"] == pytest.approx((1 + 1 + 1 / 4 + 1 / 4 + 1) / 5)
    # With vectors of the captions in all languages, the rows of the English ones are used.
    langs = [json.loads(line)["lang"] for line in few.read_text(encoding="utf-8").splitlines()]
    everything = np.tile(np.ones(4, dtype=np.float32), (len(langs), 1))
    everything[[row for row, lang in enumerate(langs) if lang == "en"]] = np.load(tmp_path / "texts.npy")
    np.save(tmp_path / "everything.npy", everything)
    assert sightline(*evaluate, "--query-vectors", tmp_path / "everything.npy").record == record
    np.save(tmp_path / "everything.npy", everything[:-1])
    answer = sightline(*evaluate, "--query-vectors", tmp_path / "everything.npy")
    assert f"has 5 captions in en, and {len(langs)} in all languages" in answer.err
    ids = ["red.png#en#1", "blue.png#en#0", "yellow.png#en#0", "red.png#en#0", "green.png#en#0"]
    (tmp_path / "ids.txt").write_text("\n".join(ids) + "\n")
    np.save(tmp_path / "texts.npy", np.eye(4, dtype=np.float32)[[0, 0, 0, 0, 1]])
    named = f"theirs={tmp_path / 'texts.npy'}"
    assert sightline(*evaluate, "--query-vectors", named, "--query-ids", tmp_path / "ids.txt").record == record
    (tmp_path / "ids.txt").write_text("\n".join([*ids[:-1], "other"]) + "\n")
    for extra, complaint in (
        (
            ("--query-vectors", named, "--query-ids", tmp_path / "ids.txt"),
            "No vector for 1 of 5 captions: green.png#en#0",
        ),
        (("--query-vectors", tmp_path / "none.npy"), "none.npy"),
        (
            (),
            "so the vectors of the captions must be given as well.\nHint: Name a file of them with --query-vectors",
        ),
    ):
        answer = sightline(*evaluate, *extra)
        assert (answer.code, answer.out) == (2, b"")
        assert complaint in answer.err


def test_numeric_ids_of_query_vectors(sightline: Sightline, library: Library, tmp_path: Path) -> None:
    """The captions have the ids 1 and 0. The rows 0 and 1 are assigned by id, or without ids by order."""
    np.save(tmp_path / "axes.npy", np.eye(2, dtype=np.float32))
    (tmp_path / "names.txt").write_text("first.png\nsecond.png\n")
    (tmp_path / "ids.txt").write_text("0\n1\n")
    arguments = (tmp_path / "axes.npy", "--ids", tmp_path / "names.txt", "--space", "theirs", "--library", library.path)
    assert sightline("import", *arguments).code == 0
    lines = [{"image": "first.png", "caption": "a", "id": "1"}, {"image": "second.png", "caption": "b", "id": "0"}]
    (tmp_path / "captions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    evaluate = ("eval", tmp_path, "--library", library.path, "--json", "--query-vectors", tmp_path / "axes.npy")
    assert sightline(*evaluate).record["mrr"] == 1
    assert sightline(*evaluate, "--query-ids", tmp_path / "ids.txt").record["mrr"] == 1 / 2
    (tmp_path / "ids.txt").write_text("0\n0\n")
    assert "Two vectors have the id '0'" in sightline(*evaluate, "--query-ids", tmp_path / "ids.txt").err
    np.save(tmp_path / "axes.npy", np.eye(3, 2, dtype=np.float32))
    assert f"3 vectors without ids, but {tmp_path.name} has 2 captions" in sightline(*evaluate).err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Missing argument"),
        (["none.jsonl"], "no such file or folder"),
        (["DATA", "--lang", "xx"], "No captions in 'xx'. Choose from: de, en"),
        (["DATA", "--split", "dev"], "Unknown split 'dev'"),
        (["DATA", "--metrics", "accuracy"], "Unknown metric 'accuracy'"),
        (["DATA", "--format", "excel"], "Unknown format 'excel'"),
        (["DATA", "--space", "clop"], "Unknown model 'clop'"),
        (["DATA", "--direction", "sideways"], "sideways"),
        (["DATA", "DATA", "--run", "run.txt"], "--run needs a single data set"),
        (["DATA", "--index", "Flat", "--run", "run.txt"], "--run needs exact search"),
        (["DATA", "DATA", "--qrels", "qrels.txt"], "--qrels needs a single data set"),
        (["DATA", "--table", "latex", "--json"], "choose one"),
        (["DATA", "DATA"], "2 data sets have the name few"),
        (["DATA", "--space", "fake", "--space", "fake", "--save", "kept.json"], "--save needs a single space"),
        (["DATA", "--index", "Flat", "--baseline", "kept.json"], "--baseline needs a single space"),
        (["DATA", "--html", "no/such/folder/report.html"], "Folder no/such/folder not found"),
        (["DATA", "--query-vectors", "texts.npy"], "needs the --library of the imported space"),
        (["DATA", "--space", "fake", "--baseline", "none.json"], "none.json"),
        (
            ["DATA", "--library", "lib", "--space", "a", "--space", "b", "--query-vectors", "c=texts.npy"],
            "Name the space of the vectors",
        ),
        (["DATA", "--library", "none"], "There is no library"),
    ],
)
def test_invalid_options_are_rejected_before_measuring(
    sightline: Sightline,
    few: Path,
    arguments: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = sightline("eval", *(str(few) if argument == "DATA" else argument for argument in arguments))
    assert (answer.code, answer.out) == (2, b"")
    assert complaint in answer.err
    assert "Traceback" not in answer.err
