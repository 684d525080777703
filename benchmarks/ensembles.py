"""The effect of prompt ensembles on a model: `python -m benchmarks.ensembles --data DIR`.

Every caption of the 1,000 dev photos of Flickr8k, as it is and as the mean of the sentences of
`search/prompt_templates.py`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.mini.encoder import MiniEncoder
from search.prompt_templates import TEMPLATES, apply_templates
from training.evaluate import Gallery, dev_gallery


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ensembles", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder that contains flickr8k/")
    parser.add_argument("--captions", type=int, default=1000, help="captions of each language")
    options = parser.parse_args(arguments)
    encoder = MiniEncoder()
    gallery = dev_gallery(options.data, encoder)
    pictures = encoder.encode_pixels(gallery.pixels)  # (N, D)
    print(
        "| language | captions | MRR as it is | ensemble | R@10 as it is | ensemble | 95 % of the difference in MRR |"
    )
    print("|---" * 7 + "|")
    for language in TEMPLATES:
        print(_row(encoder, gallery, pictures, language, options.captions), flush=True)


def _row(encoder: MiniEncoder, gallery: Gallery, pictures: NDArray[np.float32], language: str, most: int) -> str:
    captions = [caption for caption in gallery.captions if caption.lang == language]
    captions = [captions[row] for row in np.random.default_rng(0).permutation(len(captions))[:most]]
    right = np.array([gallery.names.index(caption.image) for caption in captions])  # (Q,)
    ranks = []
    for ensemble in (None, language):
        groups = [apply_templates(caption.text, ensemble) for caption in captions]
        every = encoder.encode_texts([one for group in groups for one in group])  # (Q * T, D)
        means = every.reshape(len(captions), -1, every.shape[1]).mean(axis=1)  # (Q, D)
        scores = means @ pictures.T  # (Q, N)
        own = scores[np.arange(len(right)), right][:, None]
        ranks.append((scores >= own).sum(axis=1))  # ties count as ranked above
    plain, mixed = (1 / rank for rank in ranks)
    drawn = np.random.default_rng(0).integers(0, len(right), (2000, len(right)))
    low, high = np.percentile((mixed - plain)[drawn].mean(axis=1), [2.5, 97.5])
    recall = [float((rank <= 10).mean()) for rank in ranks]
    shown = " | ".join(f"{value:.3f}" for value in (plain.mean(), mixed.mean(), *recall))
    return f"| {language} | {len(captions):,} | {shown} | {low:+.3f} to {high:+.3f} |"


if __name__ == "__main__":
    main()
