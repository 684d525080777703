"""Evaluation of the exported files through the encoder of the product.

    python -m training.evaluate --data DIR
    python -m training.evaluate --gallery examples/gallery

Text to picture: every caption of a language against all pictures of the gallery. A rank counts from 1 and ties count
against us. Everyday words: the fraction of the first ten photos that show the thing, averaged over words, as judged by
looking at them (`judgements.py`) and as captions mention it. Nothing of torch is imported.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.pointing import patch_pointer, pointing, unseen_scenes
from encoders.base import Encoder, Vectors
from encoders.mini.encoder import WEIGHTS, MiniEncoder
from encoders.mini.tokenizer import plain
from search.evaluate import datasets
from search.evaluate.evaluation import Evaluation
from search.evaluate.ranks import relevant_ranks
from search.evaluate.scoring import evaluate_dataset
from training import corpora
from training.corpora import LANGUAGES, Caption
from training.judgements import interval, judged_precision_at_ten, read_judgements
from training.names import CLASSES, read_concepts
from training.scenes import scene_captions, scene_pictures

__all__ = [
    "Everyday",
    "Gallery",
    "across_languages",
    "dev_gallery",
    "evaluate",
    "everyday_words",
    "file_gallery",
    "mention_counts",
    "names_gallery",
    "precision_at_ten",
    "scene_gallery",
]

_UNSEEN_SEED = 1_000_000
"""Scenes from this seed on are not used for training."""


@dataclass(frozen=True)
class Gallery:
    """Pictures to search, and captions that belong to one of them each."""

    name: str
    names: list[str]
    pixels: NDArray[np.uint8]  # (N, S, S, 3)
    captions: list[Caption]


def dev_gallery(data: Path, encoder: Encoder) -> Gallery:
    """Return the 1,000 dev photos of Flickr8k."""
    paths = corpora.flickr_pictures(data, "dev")
    pictures = ((path.name, Image.open(path)) for path in paths)
    return _gallery("Flickr8k dev", pictures, corpora.captions(data, "dev"), encoder)


def scene_gallery(count: int, encoder: Encoder) -> Gallery:
    """Return rendered scenes of seeds that training does not use."""
    captions = scene_captions(count, _UNSEEN_SEED)
    return _gallery("unseen rendered scenes", scene_pictures(count, _UNSEEN_SEED), captions, encoder)


def names_gallery(data: Path, encoder: Encoder) -> Gallery:
    """Return the 1,000 ImageNet photos in their original shapes, each with the names of its class.

    In English the label, in other languages the first name in the Open Multilingual Wordnet, if it has one.
    """
    labels = corpora.class_names(data)  # in the order of the classes, as the concepts
    others = [
        Caption(label.image, found[lang][0], lang)
        for label, found in zip(labels, read_concepts(data).names[:CLASSES], strict=True)
        for lang in LANGUAGES
        if lang != "en" and found.get(lang)
    ]
    names = labels + others
    folder = data / "imagenet_names" / "images"
    pictures = ((label.image, Image.open(folder / label.image).convert("RGB")) for label in labels)
    return _gallery("ImageNet photos by class name", pictures, names, encoder)


def file_gallery(folder: Path, encoder: Encoder) -> Gallery:
    """Return the pictures in a folder with their captions in `captions.jsonl`."""
    captions = corpora.read_captions(folder / "captions.jsonl")
    names = sorted({caption.image for caption in captions})
    pictures = ((name, Image.open(folder / name)) for name in names)
    return _gallery(str(folder), pictures, captions, encoder)


def evaluate(gallery: Gallery, encoder: Encoder) -> dict[str, Evaluation]:
    """Return how well the captions of each language find their pictures."""
    captions = tuple(
        datasets.Caption(str(number), caption.text, caption.lang, {caption.image: 1})
        for number, caption in enumerate(gallery.captions)
    )
    dataset = datasets.Dataset(gallery.name, "all", Path(), tuple(gallery.names), captions)
    texts = encoder.encode_texts([caption.text for caption in captions])  # (C, D)
    found = evaluate_dataset(dataset, texts, encoder.encode_pixels(gallery.pixels), encoder.space.model)
    return {evaluation.subject.lang: evaluation for evaluation in found}


@dataclass(frozen=True)
class Everyday:
    """A single word as a query."""

    names: Mapping[str, str]
    """By language."""
    forms: Sequence[str]
    """The words of English captions that name it."""
    half: int
    """Parameters may be chosen by the words of half 0; half 1 is for tests."""


def everyday_words() -> list[Everyday]:
    """Read the everyday words."""
    rows = json.loads((Path(__file__).parent / "everyday_words.json").read_text(encoding="utf-8"))
    return [Everyday(row["names"], row["forms"], row["half"]) for row in rows]


def mention_counts(words: Sequence[Everyday], gallery: Gallery) -> NDArray[np.int64]:
    """Return how many English captions of a picture say a word: (N, W)."""
    rows = {name: row for row, name in enumerate(gallery.names)}
    counts = np.zeros((len(rows), len(words)), np.int64)
    for caption in gallery.captions:
        if caption.lang == "en":
            said = set(plain(caption.text).split())
            counts[rows[caption.image]] += [not said.isdisjoint(word.forms) for word in words]
    return counts


def precision_at_ten(scores: NDArray[np.float32], fits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return for each of W words the fraction of the ten pictures with the highest scores (N, W) that fit."""
    first = np.argsort(-scores, axis=0, kind="stable")[:10]  # (10, W)
    found: NDArray[np.float64] = np.take_along_axis(fits, first, axis=0).mean(0)
    return found


def across_languages(left: Vectors, right: Vectors) -> tuple[float, float]:
    """Return the mean cosine of aligned sentences (N, D), and how often the right one is the nearest of all."""
    ranks = np.array([found.first for found in relevant_ranks(left, right, [{row: 1} for row in range(len(left))])])
    return float((left * right).sum(1).mean()), float((ranks == 1).mean())


def _gallery(
    name: str, pictures: Iterable[tuple[str, Image.Image]], captions: list[Caption], encoder: Encoder
) -> Gallery:
    names, pixels = zip(*((key, encoder.preprocess.pixels(image)) for key, image in pictures), strict=True)
    return Gallery(name, list(names), np.stack(pixels), captions)


def _table(gallery: Gallery, found: dict[str, Evaluation]) -> Iterable[str]:
    yield f"{gallery.name}: {len(gallery.names)} pictures"
    yield "| language | captions | R@1 | R@5 | R@10 | MRR | median rank |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for lang in (lang for lang in LANGUAGES if lang in found):
        scores = found[lang].scores
        shares = " | ".join(f"{scores[name]:.3f}" for name in ("recall@1", "recall@5", "recall@10", "mrr"))
        yield f"| {lang} | {len(found[lang].queries)} | {shares} | {scores['median_rank']:g} |"


def _everyday_tables(gallery: Gallery, encoder: Encoder) -> Iterable[str]:
    words, judgements = everyday_words(), read_judgements()
    counts, halves = mention_counts(words, gallery), np.array([word.half for word in words])
    pictures = encoder.encode_pixels(gallery.pixels)
    scores = {lang: pictures @ encoder.encode_texts([word.names[lang] for word in words]).T for lang in LANGUAGES}
    for title, least in (("two of five captions", 2), ("one of five captions", 1)):
        shares = {lang: precision_at_ten(rows, counts >= least) for lang, rows in scores.items()}
        yield from _words_table(title, shares, halves)
    english = [word.names["en"] for word in words]
    try:
        shares = {
            lang: judged_precision_at_ten(rows, english, gallery.names, judgements) for lang, rows in scores.items()
        }
    except ValueError as error:  # new weights find other photos
        yield f"P@10 of everyday words, by judgement: {error}. training.judgements draws sheets of them"
        return
    yield from _words_table("by judgement", shares, halves)


def _words_table(title: str, shares: Mapping[str, NDArray[np.float64]], halves: NDArray[np.int64]) -> Iterable[str]:
    """Yield the mean of `shares` (W,) for each language with its interval, in all and by half."""
    yield f"| P@10 of {len(halves)} everyday words, {title} | all | tune | test |"
    yield "| --- | ---: | ---: | ---: |"
    for lang, values in shares.items():
        parts = (values, values[halves == 0], values[halves == 1])
        cells = [f"{part.mean():.3f} ({'-'.join(f'{end:.3f}' for end in interval(part))})" for part in parts]
        yield f"| {lang} | {' | '.join(cells)} |"
    yield ""


def _aligned_table(data: Path, encoder: Encoder, count: int = 1000) -> Iterable[str]:
    rows = corpora.aligned_sentences(data)[-count:]
    english = encoder.encode_texts([row["en"] for row in rows])
    for lang in ("de", "fr", "cs"):
        cosine, first = across_languages(english, encoder.encode_texts([row[lang] for row in rows]))
        yield f"en-{lang}: mean cosine {cosine:.3f}, right sentence first {first:.3f} (n = {count}, seen in training)"


def _pointing_table(encoder: Encoder, count: int) -> Iterable[str]:
    pointer, scenes = patch_pointer(encoder), unseen_scenes(count)
    for lang in LANGUAGES:
        yield f"pointing game, {count} unseen scenes, {lang}: {pointing(pointer, scenes, lang)}"


def _speed(encoder: Encoder, gallery: Gallery) -> Iterable[str]:
    pixels, texts = gallery.pixels[:256], [caption.text for caption in gallery.captions[:500]]
    yield f"{len(pixels) / _seconds(lambda: encoder.encode_pixels(pixels)):.0f} pictures a second (tower alone)"
    yield f"{1000 * _seconds(lambda: encoder.encode_texts(texts)) / len(texts):.2f} ms a text"


def _seconds(work: Callable[[], object]) -> float:
    """Return the wall time of the second of two calls; the first one includes loading."""
    work()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the training data; its dev split is scored")
    parser.add_argument("--gallery", type=Path, help="a folder of pictures with captions.jsonl")
    parser.add_argument("--scenes", type=int, default=100, help="unseen rendered scenes to score")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    encoder = MiniEncoder(options.weights)
    galleries = [scene_gallery(options.scenes, encoder)]
    if options.gallery:
        galleries.append(file_gallery(options.gallery, encoder))
    if options.data:
        galleries += [names_gallery(options.data, encoder), dev_gallery(options.data, encoder)]
    for gallery in galleries:
        print(*_table(gallery, evaluate(gallery, encoder)), "", sep="\n")
    if options.data:
        print(*_everyday_tables(galleries[-1], encoder), sep="\n")
        print(*_aligned_table(options.data, encoder), sep="\n")
    print(*_pointing_table(encoder, 3 * options.scenes), sep="\n")
    print(*_speed(encoder, galleries[-1]), sep="\n")


if __name__ == "__main__":
    _main()
