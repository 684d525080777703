"""A unigram tokenizer over all training sentences and names, in their normalised form.

python -m training.tokenizer --data DIR --out runs/tokenizer.model
"""

import argparse
import io
from collections.abc import Iterable
from pathlib import Path

import sentencepiece

from encoders.mini.tokenizer import BOS, PAD, plain
from training import corpora
from training.names import read_concepts, read_nouns
from training.scenes import scene_captions

__all__ = ["train_tokenizer"]

SCENES = 500
"""Number of rendered scenes, enough to contain all of their words."""


def train_tokenizer(sentences: Iterable[str], pieces: int, out: Path) -> None:
    """Write a SentencePiece model of `pieces` pieces. `plain` normalises sentences; unknown letters become bytes."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(plain(sentence) for sentence in sentences),
        model_writer=model,
        vocab_size=pieces,
        model_type="unigram",
        normalization_rule_name="identity",
        character_coverage=0.9999,
        byte_fallback=True,
        pad_id=PAD,
        unk_id=1,
        bos_id=BOS,
        eos_id=-1,
        num_threads=2,
        minloglevel=1,
    )
    out.write_bytes(model.getvalue())


def _sentences(data: Path) -> Iterable[str]:
    yield from (caption.text for caption in corpora.captions(data, "train"))
    yield from (sentence for row in corpora.aligned_sentences(data) for sentence in row.values())
    names = [*read_concepts(data).names, *(noun.names for noun in read_nouns(data))]
    yield from (name for each in names for several in each.values() for name in several)
    yield from (caption.text for caption in scene_captions(SCENES))


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--pieces", type=int, default=24_000)
    options = parser.parse_args()
    train_tokenizer(_sentences(options.data), options.pieces, options.out)


if __name__ == "__main__":
    _main()
