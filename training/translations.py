"""English names for the words of other languages: `translations.gz` next to the other files.

    python -m training.translations --data DIR [--weights DIR]

WordNet lists several meanings for most words, many of them rare: a French "homme" can be a man, or all the world.
The names of a meaning weigh more if their vectors are similar to that of the word, and if it is the most frequent
meaning of the name. Words that are English nouns as well are left out, and so are words that English sentences
say: "sad" is a Czech orchard, but who asks for it means sad people. The digest of the file becomes `translations` in
`model.json`. Vectors of pictures and of all other texts stay the same. Nothing of torch is imported.
"""

import argparse
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from encoders.base import Vectors
from encoders.mini.encoder import TRANSLATIONS, WEIGHTS, MiniEncoder
from encoders.mini.tokenizer import plain
from encoders.mini.translations import write_translations
from training.corpora import aligned_sentences, captions
from training.names import Noun, read_concepts, read_nouns, read_senses
from training.words import STOP_WORDS

__all__ = ["TranslationSettings", "candidates", "said_in_english", "translate"]

_UNASKED = STOP_WORDS | {"after", "amid", "but", "had", "held", "if", "laden", "most", "my", "not", "these"}
"""English words that are no queries. Those of other languages are: a Czech "had" is a snake, a German "Held" a hero."""


@dataclass(frozen=True)
class TranslationSettings:
    """How English names are chosen. The numbers were chosen with the everyday words of half 0."""

    names: int = 4
    """English names of a meaning that are considered."""
    sharpness: float = 10.0
    """By how much the logit of a name grows with its similarity to the word."""
    rarity: float = 1.0
    """By how much it falls for each meaning of the name that is more frequent."""
    unlisted: int = 3
    """The place of a meaning that WordNet's index does not list for a name."""
    least: float = 0.1
    """Names with a smaller weight are left out."""
    spoken: int = 7
    """A word is English if this many English sentences say it. Chosen by looking at the words with other numbers."""


Candidates = Mapping[str, Mapping[str, int]]
"""English names of each word in its plain form, and how many meanings of the name are more frequent."""


def candidates(
    nouns: Sequence[Noun],
    senses: Mapping[str, Sequence[str]],
    settings: TranslationSettings,
    said: AbstractSet[str] = frozenset(),
) -> dict[str, dict[str, int]]:
    """Return the English names of the words of other languages that are no English nouns, and not among `said`.

    `senses` has the synsets of an English noun, the most frequent one first.
    """
    english = {plain(name) for name in senses} | said
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for noun in nouns:
        for word in _others(noun):
            if word not in english:
                for name in noun.names["en"][: settings.names]:
                    place = _place(senses.get(name.lower(), ()), noun.offset, settings.unlisted)
                    found[word][name] = min(place, found[word].get(name, place))
    return dict(found)


def said_in_english(sentences: Iterable[str], settings: TranslationSettings) -> set[str]:
    """Return the words that enough English sentences say, without those that are no queries."""
    said = Counter(word for sentence in sentences for word in set(plain(sentence).split()))
    return {word for word, number in said.items() if number >= settings.spoken} - _UNASKED


def translate(
    names: Candidates, encode: Callable[[Sequence[str]], Vectors], settings: TranslationSettings
) -> dict[str, dict[str, int]]:
    """Return the weights of the English names of each word, in percent."""
    english = sorted({name for several in names.values() for name in several})
    rows = {name: row for row, name in enumerate(english)}
    vectors = encode(english)
    found = {}
    for word, own in zip(names, encode(list(names)), strict=True):
        places = np.array(list(names[word].values()))
        likeness = vectors[[rows[name] for name in names[word]]] @ own
        logits = settings.sharpness * likeness - settings.rarity * places
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        kept = shares >= min(settings.least, shares.max())
        found[word] = {
            name: round(100 * float(share)) for name, share, keep in zip(names[word], shares, kept, strict=True) if keep
        }
    return found


def _others(noun: Noun) -> Iterator[str]:
    """Yield the plain names in other languages."""
    for lang, names in noun.names.items():
        if lang != "en":
            yield from filter(None, map(plain, names))


def _place(order: Sequence[str], offset: str, unlisted: int) -> int:
    return order.index(offset) if offset in order else unlisted


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="the folder of the weights [the newest ones]")
    parser.add_argument("--limit", type=int, help="translate only this many words, to try the recipe")
    options = parser.parse_args()
    encoder, settings = MiniEncoder(options.weights), TranslationSettings()
    concepts = read_concepts(options.data)
    nouns = [Noun(offset, names) for offset, names in zip(concepts.offsets, concepts.names, strict=True)]
    known = set(concepts.offsets)
    nouns += [noun for noun in read_nouns(options.data) if noun.offset not in known]
    sentences = [caption.text for caption in captions(options.data, "train") if caption.lang == "en"]
    sentences += [sentence["en"] for sentence in aligned_sentences(options.data)]
    said = said_in_english(sentences, settings)
    found = candidates(nouns, read_senses(options.data), settings, said)
    names = dict(islice(found.items(), options.limit))
    file, card_file = options.weights / TRANSLATIONS, options.weights / "model.json"
    write_translations(file, translate(names, encoder.encode_untranslated, settings))
    card = json.loads(card_file.read_text(encoding="utf-8"))
    card["translations"] = hashlib.sha256(file.read_bytes()).hexdigest()
    card_file.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(f"{len(names)} words, {file.stat().st_size} bytes")


if __name__ == "__main__":
    _main()
