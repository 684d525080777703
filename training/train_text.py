"""Step 3: the text tower and the grid head, trained on the teacher's own maps.

    python -m training.train_text --data DIR --prepared runs/prepared --out runs/text.pt

An epoch takes seconds, since no pixels are read. The result is a joint space in which every picture, and every crop
of one, has a known vector, which the student then learns.
"""

import argparse
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoders.mini.tokenizer import Tokenizer, plain
from training import corpora
from training.caption_sampler import CaptionSampler, tensors
from training.dev import DevQueries
from training.losses import contrastive
from training.model import GridHead, Shape, TextTower
from training.pictures import PictureSet, captioned_pictures
from training.seeds import seed_all

__all__ = ["Aligned", "JointSpace", "TextSettings", "train_text"]

_log = logging.getLogger("sightline.training")


@dataclass(frozen=True)
class TextSettings:
    """The parameters of this step."""

    epochs: int = 24
    batch: int = 512
    drawn: int = 4
    """Captions drawn for each picture of a batch; an even number."""
    longest: int = 32
    """Maximum number of tokens of a caption; more would mostly be padding."""
    aligned: int = 512
    """Pairs of aligned sentences in each step."""
    aligned_weight: float = 0.3
    kin_weight: float = 0.2
    """Weight of the loss between captions of one picture, mostly of two languages."""
    rate: float = 2e-3
    decay: float = 0.05
    seed: int = 20


class Aligned:
    """Aligned sentences as pairs of token ids, in two languages drawn at random."""

    def __init__(self, rows: list[dict[str, str]], tokenizer: Tokenizer) -> None:
        self._rows = [[plain(sentence) for sentence in row.values()] for row in rows]
        self._tokenizer = tokenizer

    def draw(self, count: int, rng: np.random.Generator) -> tuple[list[list[int]], list[list[int]]]:
        """Return `count` pairs as two lists."""
        left, right = [], []
        for row in rng.integers(len(self._rows), size=count):
            one, two = rng.choice(len(self._rows[row]), 2, replace=False)
            left.append(self._tokenizer.sample(self._rows[row][one]))
            right.append(self._tokenizer.sample(self._rows[row][two]))
        return left, right


class JointSpace(nn.Module):
    """The text tower, the grid head, and the logarithm of the inverse temperature."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.tower, self.head = TextTower(shape), GridHead(shape)
        self.scale = nn.Parameter(torch.tensor(2.7))

    @classmethod
    def fresh(cls, shape: Shape, tokenizer: Tokenizer, seed: int) -> "JointSpace":
        """Return one with random weights."""
        seed_all(seed)
        space = cls(shape)
        if space.tower.pairs is not None:
            space.tower.pairs.han.copy_(torch.from_numpy(tokenizer.han()))
        return space

    def read(self, ids: list[list[int]], longest: int) -> Tensor:
        """Map texts as token IDs to (N, D)."""
        with torch.autocast("cpu", torch.bfloat16):
            vectors: Tensor = self.tower(*tensors(ids, longest))
        return vectors.float()


def train_text(
    grids: NDArray[np.float16],
    captioned: CaptionSampler,
    aligned: Aligned,
    space: JointSpace,
    settings: TextSettings,
    after: Callable[[JointSpace], None],
) -> None:
    """Train on maps (N, K, h, w, D) and the captions of their pictures; `after` is called after each epoch."""
    rng = np.random.default_rng(settings.seed)
    steps = settings.epochs * (len(grids) // settings.batch)
    optimiser = torch.optim.AdamW(space.parameters(), settings.rate, betas=(0.9, 0.98), weight_decay=settings.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, steps, pct_start=0.1)
    for epoch in range(settings.epochs):
        space.train()
        order = rng.permutation(len(grids))
        for start in range(0, len(order) - settings.batch + 1, settings.batch):
            rows = order[start : start + settings.batch]
            loss = _picture_loss(space, grids, captioned, rows, settings, rng)
            loss = loss + settings.aligned_weight * _aligned_loss(space, aligned, settings, rng)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(space.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            space.scale.data.clamp_(max=4.6)  # a temperature of 0.01, as in CLIP
        _log.info("epoch %d: loss %.3f, scale %.1f", epoch + 1, loss.item(), space.scale.exp().item())
        after(space.eval())


def _picture_loss(
    space: JointSpace,
    grids: NDArray[np.float16],
    captioned: CaptionSampler,
    rows: NDArray[np.int64],
    settings: TextSettings,
    rng: np.random.Generator,
) -> Tensor:
    """Return the loss of a random view of each picture against several of its captions."""
    views = grids[rows, rng.integers(grids.shape[1], size=len(rows))]  # (B, 7, 7, D)
    if rng.random() < 0.5:
        views = views[:, :, ::-1]
    pictures, _ = space.head(torch.from_numpy(views.astype(np.float32)).permute(0, 3, 1, 2))  # (B, D)
    owners = torch.from_numpy(rows)
    texts = [space.read(captioned.draw(rows, rng), settings.longest) for _ in range(settings.drawn)]
    scale = space.scale.exp()
    loss = torch.stack([contrastive(pictures, text, owners, scale) for text in texts]).mean()
    kin = [contrastive(one, other, owners, scale) for one, other in zip(texts[::2], texts[1::2], strict=True)]
    return loss + settings.kin_weight * torch.stack(kin).mean()


def _aligned_loss(space: JointSpace, aligned: Aligned, settings: TextSettings, rng: np.random.Generator) -> Tensor:
    """Return the loss of aligned sentences against each other."""
    left, right = (space.read(ids, settings.longest) for ids in aligned.draw(settings.aligned, rng))
    return contrastive(left, right, torch.arange(len(left)), space.scale.exp())


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, default=Path("runs/prepared"))
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--out", type=Path, default=Path("runs/text.pt"))
    parser.add_argument("--epochs", type=int, default=TextSettings.epochs)
    parser.add_argument("--scenes", type=int, default=1200)
    parser.add_argument("--layers", type=int, default=Shape.text_layers)
    parser.add_argument("--pairs", type=int, default=Shape.text_pairs)
    parser.add_argument("--reach", type=int, default=Shape.text_reach)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)

    tokenizer = Tokenizer(options.tokenizer)
    shape = Shape(len(tokenizer), text_layers=options.layers, text_pairs=options.pairs, text_reach=options.reach)
    settings = TextSettings(epochs=options.epochs)
    pictures, captioned = captioned_pictures(options.data, options.prepared, options.scenes, tokenizer)
    aligned = Aligned(corpora.aligned_sentences(options.data), tokenizer)
    dev = DevQueries.load(options.data, options.prepared / "dev", tokenizer)
    whole = torch.from_numpy(PictureSet.load(options.prepared / "dev").grids[:, 0].astype(np.float32))

    def report(space: JointSpace) -> None:
        with torch.no_grad():
            pictures, _ = space.head(whole.permute(0, 3, 1, 2))
        _log.info("  dev: %s", dev.summary(space.tower, pictures))

    space = JointSpace.fresh(shape, tokenizer, settings.seed)
    train_text(pictures.grids, captioned, aligned, space, settings, report)
    state = {"shape": asdict(shape), "settings": asdict(settings), "space": space.state_dict()}
    torch.save(state, options.out)


if __name__ == "__main__":
    _main()
