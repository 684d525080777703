"""Which dev photos show an everyday word, as judged by looking at them, and contact sheets to judge more of them.

    python -m training.judgements --data DIR --sheets DIR            # draw the photos that are not judged yet
    python -m training.judgements --sheets DIR --answers FILE        # add what was seen on them

The first command draws the photos that the current weights rank high for a word, shuffled, without captions and scores.
A line of the answers names a sheet and the numbers of the photos that show its word: `street-1: 2 7 11`. Every other
photo of that sheet does not show it. README.md has the rules.
"""

import argparse
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

__all__ = [
    "Judgements",
    "add_answers",
    "draw_sheets",
    "interval",
    "judged",
    "judged_precision_at_ten",
    "pool",
    "read_judgements",
    "write_judgements",
]

FILE = Path(__file__).with_name("word_judgements.json")

Judgements = Mapping[str, Mapping[str, bool]]
"""Whether a photo shows a word, by the English word and the name of the photo."""

_ENGLISH, _OTHER = 20, 10
"""The first photos of a ranking that are judged, for the English word and its translations."""
_SHEET, _COLUMNS, _SIDE = 30, 6, 240
"""Photos on a sheet and in a row, and the side of a photo in pixels."""
_SEEDS = 1000
"""Resamples of a bootstrap."""


def read_judgements(file: Path = FILE) -> Judgements:
    """Read the judgements of all words."""
    found: dict[str, dict[str, bool]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def judged(words: Sequence[str], names: Sequence[str], judgements: Judgements) -> NDArray[np.int8]:
    """Return whether each photo shows each word (W, N): 1 for yes, 0 for no, and -1 if that was not judged."""
    rows = [[judgements.get(word, {}).get(name, -1) for name in names] for word in words]
    return np.array(rows, np.int8).reshape(len(words), len(names))


def judged_precision_at_ten(
    scores: NDArray[np.float32], words: Sequence[str], names: Sequence[str], judgements: Judgements
) -> NDArray[np.float64]:
    """Return for each of W words the fraction of the ten photos with the highest scores (N, W) that show it.

    Raises `ValueError`, naming words and photos, if one of these photos was not judged.
    """
    first = np.argsort(-scores, axis=0, kind="stable")[:10].T  # (W, 10)
    found = np.take_along_axis(judged(words, names, judgements), first, axis=1)
    missing = [f"{words[word]}: {names[first[word, rank]]}" for word, rank in np.argwhere(found < 0).tolist()]
    if missing:
        more = f", and {len(missing) - 20} more" if len(missing) > 20 else ""
        raise ValueError(f"{len(missing)} photos are not judged for a word: {', '.join(missing[:20])}{more}")
    shares: NDArray[np.float64] = found.mean(axis=1, dtype=np.float64)
    return shares


def interval(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of `values` (N,), by bootstrap."""
    drawn = np.random.default_rng(0).integers(len(values), size=(_SEEDS, len(values)))
    low, high = np.quantile(values[drawn].mean(1), (0.025, 0.975))
    return float(low), float(high)


def pool(scores: Mapping[str, NDArray[np.float32]]) -> list[list[int]]:
    """Return for each word the photos that need a judgement: the first ones of each language's scores (N, W)."""
    number = next(iter(scores.values())).shape[1]
    first = {lang: np.argsort(-rows, axis=0, kind="stable") for lang, rows in scores.items()}
    return [
        sorted({row for lang, order in first.items() for row in order[: _depth(lang), word].tolist()})
        for word in range(number)
    ]


def draw_sheets(missing: Mapping[str, Sequence[Path]], folder: Path) -> dict[str, list[str]]:
    """Draw the photos that are `missing` a judgement for a word on numbered sheets in `folder`.

    Returns the names of the photos of each sheet in the order of their numbers, which `sheets.json` contains as well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sheets: dict[str, list[str]] = {}
    for word, paths in missing.items():
        shuffled = random.Random(word).sample(list(paths), len(paths))
        for number, start in enumerate(range(0, len(shuffled), _SHEET), 1):
            part = shuffled[start : start + _SHEET]
            sheets[f"{word}-{number}"] = [path.name for path in part]
            _sheet(part).save(folder / f"{word}-{number}.png")
    (folder / "sheets.json").write_text(json.dumps(sheets), encoding="utf-8")
    return sheets


def add_answers(judgements: Judgements, sheets: Mapping[str, Sequence[str]], lines: Iterable[str]) -> Judgements:
    """Return the judgements with those of more sheets.

    Raises `ValueError` for a sheet or a number that does not exist.
    """
    more = {word: dict(photos) for word, photos in judgements.items()}
    for line in filter(str.strip, lines):
        sheet, _, numbers = line.strip().partition(":")
        shown = {int(number) for number in numbers.split()}
        if sheet not in sheets or not shown <= set(range(1, len(sheets[sheet]) + 1)):
            raise ValueError(f"no such sheet or number: {line.strip()}")
        photos = {name: number in shown for number, name in enumerate(sheets[sheet], 1)}
        more.setdefault(sheet.rpartition("-")[0], {}).update(photos)
    return more


def write_judgements(judgements: Judgements, file: Path = FILE) -> None:
    """Write the judgements, a line for each word."""
    lines = [f"{json.dumps(word)}: {json.dumps(dict(sorted(photos.items())))}" for word, photos in judgements.items()]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _depth(lang: str) -> int:
    return _ENGLISH if lang == "en" else _OTHER


def _sheet(paths: Sequence[Path]) -> Image.Image:
    rows = -(-len(paths) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _SIDE, rows * _SIDE), "white")
    draw = ImageDraw.Draw(sheet)
    for number, path in enumerate(paths):
        corner = (number % _COLUMNS * _SIDE, number // _COLUMNS * _SIDE)
        with Image.open(path) as photo:
            sheet.paste(photo.convert("RGB").resize((_SIDE - 4, _SIDE - 4)), corner)
        draw.rectangle((*corner, corner[0] + 26, corner[1] + 18), fill="yellow")
        draw.text((corner[0] + 4, corner[1] + 3), str(number + 1), fill="black")
    return sheet


def _missing(data: Path) -> dict[str, list[Path]]:
    from encoders.mini.encoder import MiniEncoder
    from training import corpora
    from training.evaluate import dev_gallery, everyday_words

    encoder, words, judgements = MiniEncoder(), everyday_words(), read_judgements()
    paths = corpora.flickr_pictures(data, "dev")
    pictures = encoder.encode_pixels(dev_gallery(data, encoder).pixels)
    names = {lang: [word.names[lang] for word in words] for lang in corpora.LANGUAGES}
    pooled = pool({lang: pictures @ encoder.encode_texts(texts).T for lang, texts in names.items()})
    found = {
        word: [paths[row] for row in rows if paths[row].name not in judgements.get(word, {})]
        for word, rows in zip(names["en"], pooled, strict=True)
    }
    return {word: rest for word, rest in found.items() if rest}


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the training data; photos of its dev split are drawn")
    parser.add_argument("--sheets", type=Path, required=True, help="the folder of the contact sheets")
    parser.add_argument("--answers", type=Path, help="what was seen on the sheets; it is added to the judgements")
    options = parser.parse_args()
    if options.answers:
        sheets = json.loads((options.sheets / "sheets.json").read_text(encoding="utf-8"))
        lines = options.answers.read_text(encoding="utf-8").splitlines()
        write_judgements(add_answers(read_judgements(), sheets, lines))
    elif options.data:
        print(*draw_sheets(_missing(options.data), options.sheets), sep="\n")
    else:
        parser.error("--data or --answers is needed")


if __name__ == "__main__":
    _main()
