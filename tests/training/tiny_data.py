"""Tiny training data: rendered scenes in place of photos, and random weights in place of the published ones."""

from pathlib import Path

import numpy as np
import torch

from encoders.mini.tokenizer import Tokenizer
from training.batches import BatchSampler, Counts, Language
from training.captions import CaptionSampler
from training.model import Mini, Shape
from training.names import CLASSES, Concepts, Noun
from training.pictures import Source
from training.prepare import Scenes, prepare
from training.scenes import scene_captions, scene_names, scene_subjects
from training.subjects import SubjectSampler
from training.tokenizer import train_tokenizer
from training.trunk import FEATURES, Classifier, Trunk
from training.words import Word, WordSampler

PICTURES, SIDE, PIECES = 6, 64, 600
COUNTS = Counts(photos=3, scenes=2, others=2, classes=20, nodes=1, words=2, subjects=3, aligned=3, nouns=3)
SHAPE = Shape(dim=16, head_width=16, pieces=PIECES, text_width=16, text_layers=1, patch_width=8)


def write_pictures(folder: Path) -> None:
    for name in ("train", "scenes", "extra"):
        prepare(Scenes(scene_names(PICTURES)), SIDE, folder / name)


def write_tokenizer(file: Path) -> Tokenizer:
    train_tokenizer((caption.text for caption in scene_captions(PICTURES)), PIECES, file)
    return Tokenizer(file, SHAPE.max_tokens)


def model() -> Mini:
    torch.manual_seed(0)
    return Mini(SHAPE)


def teacher() -> Classifier:
    torch.manual_seed(1)
    published = {f"layer{number}": value for number, value in enumerate(Trunk().state_dict().values())}
    linear = {"_fc.weight": torch.randn(CLASSES, FEATURES), "_fc.bias": torch.zeros(CLASSES)}
    return Classifier(published | linear)


def language(tokenizer: Tokenizer) -> Language:
    names = [{"en": [f"class {number}"]} for number in range(CLASSES)] + [{"en": ["thing"], "de": ["Ding"]}]
    members = np.concatenate([np.eye(CLASSES, dtype=np.bool_), np.ones((CLASSES, 1), np.bool_)], 1)
    concepts = Concepts([str(number) for number in range(CLASSES + 1)], names, members)
    sentences = [{"en": "a dog", "de": "ein Hund", "fr": "un chien", "cs": "pes"}] * 4
    return Language(concepts, [Noun("1", {"en": ["dog"], "de": ["Hund"]})] * 3, sentences, tokenizer)


def sampler(sources: tuple[Source, Source, Source], tokenizer: Tokenizer) -> BatchSampler:
    captions = scene_captions(PICTURES)
    samplers = [CaptionSampler(captions, source.names, tokenizer) for source in sources[:2]]
    words = [Word(["red"], {0: 1.0, 1: 0.4, 2: 1.0}), Word(["blue"], {3: 1.0, 4: 1.0, 5: 0.2})]
    both = samplers[0], samplers[1]
    asked = WordSampler(words, PICTURES, tokenizer), SubjectSampler(scene_subjects(PICTURES), tokenizer)
    return BatchSampler(sources, both, language(tokenizer), asked, COUNTS, seed=5)
