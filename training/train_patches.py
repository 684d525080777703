"""Step 5: patch features. A head on the frozen backbone is trained on scenes with known masks.

    python -m training.train_patches --data DIR --checkpoint runs/mini/checkpoint.pt --out runs/cells.pt

On scenes, the name of a subject must be nearest to the patches that show it. On photos, whose masks are unknown,
patches follow those of the teacher, and the patches that a caption selects must distinguish its photo from others.
The backbone and the text tower are frozen, so that retrieval does not change.
"""

import argparse
import logging
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from encoders.mini.tokenizer import Tokenizer
from examples.scenes import Subject
from search.highlight.patch_similarity import BACKGROUND_CONCEPTS
from training import corpora
from training.caption_sampler import CaptionSampler, tensors
from training.frozen import Maps, Words
from training.masked_scenes import MaskedScenes, render_masked_scenes
from training.model import GridHead, PatchHead, Shape
from training.optim import cosine
from training.pictures import PictureSet
from training.seeds import seed_all
from training.student import PREPROCESS, Student

__all__ = ["PatchSettings", "PatchTrainer", "Photos", "Scenes", "load_patch_head", "train_patch_head"]

_log = logging.getLogger("sightline.training")


@dataclass(frozen=True)
class PatchSettings:
    """The parameters of this step."""

    epochs: int = 5
    """One epoch sees each scene once."""
    scenes: int = 48
    """Scenes in each step."""
    photos: int = 48
    rate: float = 2e-3
    decay: float = 0.02
    scale: float = 20.0
    """The inverse temperature for comparing patches with texts."""
    plain: float = 0.2
    """Fraction of queries for a subject without its colour."""
    centred: float = 0.5
    """How often the mean of all texts is subtracted first, as in `search/highlight/patch_similarity.py`."""
    place_weight: float = 1.0
    shown_weight: float = 3.0
    follow_weight: float = 1.0
    named_weight: float = 0.3
    caption_weight: float = 0.3
    seed: int = 20


class Scenes:
    """Scenes with the maps of the backbone, and the names of their subjects."""

    def __init__(self, student: Student, tokenizer: Tokenizer, marked: MaskedScenes) -> None:
        self.marked, self.maps = marked, Maps.of(student, marked.pixels)
        self.words = Words(student, tokenizer, marked.subjects)
        with torch.no_grad():
            self.common = student.text(*tensors([tokenizer(thing) for thing in BACKGROUND_CONCEPTS])).mean(0)  # (D,)

    def __len__(self) -> int:
        return len(self.marked.pixels)

    def ask(self, rows: NDArray[np.int64], plain: float, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return names (P, D) of the subjects of scenes, answers (B, P, G, G), and which are known (B, P)."""
        shown = self.marked.shown(rows)
        asked = {Subject(subject.kind, None if rng.random() < plain else subject.colour) for subject in shown}
        forms = sorted(asked, key=str)
        cover, known = self.marked.answers(rows, forms)
        return self.words.draw(forms, rng), torch.from_numpy(cover), torch.from_numpy(known)


class Photos:
    """Photos with the maps of the backbone, the teacher's patches, and captions."""

    def __init__(
        self, student: Student, teacher_head: GridHead, pictures: PictureSet, captions: CaptionSampler
    ) -> None:
        squares = [PREPROCESS.pixels(Image.fromarray(square)) for square in pictures.pixels]
        self.maps = Maps.of(student, np.stack(squares))
        self._text, self._teacher_head = student.text, teacher_head
        self._grids, self._captions = pictures.grids, captions

    def __len__(self) -> int:
        return len(self.maps.fine)

    @torch.no_grad()
    def ask(self, rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return the teacher's patches (B, D, G, G) of some photos, and a caption of each (B, D)."""
        grids = torch.from_numpy(self._grids[rows, 0].astype(np.float32)).permute(0, 3, 1, 2)  # (B, D, 7, 7)
        wanted = functional.interpolate(self._teacher_head(grids)[1], self.maps.fine.shape[2:], mode="bilinear")
        texts: Tensor = self._text(*tensors(self._captions.draw(rows, rng)))
        return functional.normalize(wanted, dim=1), texts


class PatchTrainer:
    """The patch head, its optimiser, and its losses."""

    def __init__(self, shape: Shape, settings: PatchSettings, steps: int) -> None:
        self.settings, self.steps, self.step = settings, steps, 0
        self.head = PatchHead(shape)
        self.bias = nn.Parameter(torch.tensor(-8.0))  # most patches do not show the query
        parameters = [*self.head.parameters(), self.bias]
        self._optimiser = torch.optim.AdamW(parameters, settings.rate, betas=(0.9, 0.98), weight_decay=settings.decay)

    def train_step(
        self,
        maps: tuple[Tensor, Tensor],
        on_scenes: tuple[Tensor, Tensor, Tensor],
        on_photos: tuple[Tensor, Tensor],
    ) -> dict[str, float]:
        """Update the weights once and return the parts of the loss; the maps are those of scenes, then of photos."""
        for group in self._optimiser.param_groups:
            group["lr"] = self.settings.rate * cosine(self.step / self.steps)
        with torch.autocast("cpu", torch.bfloat16):
            cells = self.head(*(part.contiguous(memory_format=torch.channels_last) for part in maps))
        scenes = len(on_scenes[1])
        parts = self._scene_losses(cells[:scenes].float(), *on_scenes)
        parts |= self._photo_losses(cells[scenes:].float(), *on_photos)
        self._optimiser.zero_grad()
        torch.stack([getattr(self.settings, f"{name}_weight") * part for name, part in parts.items()]).sum().backward()
        nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        self._optimiser.step()
        self.step += 1
        return {name: float(part.detach()) for name, part in parts.items()}

    def _scene_losses(self, cells: Tensor, words: Tensor, cover: Tensor, known: Tensor) -> dict[str, Tensor]:
        scale = self.settings.scale
        logits = scale * torch.einsum("bdhw,pd->bphw", cells, words)  # (B, P, G, G)
        there = (cover.sum((2, 3)) > 0) & known  # (B, P)
        target = cover[there].flatten(1).square()  # (Q, GG); squared: the middle of a thing rather than its edge
        place = -(target / target.sum(1, keepdim=True) * logits[there].flatten(1).log_softmax(1)).sum(1).mean()
        wrong = functional.binary_cross_entropy_with_logits(logits + self.bias, cover, reduction="none").mean((2, 3))
        best = soft_maximum(logits.flatten(2)).masked_fill(~known, -1e4)  # (B, P)
        named = (picked(best, there) + picked(best.T, there.T)) / 2
        return {"place": place, "shown": wrong[there].mean() + wrong[known & ~there].mean(), "named": named}

    def _photo_losses(self, cells: Tensor, wanted: Tensor, texts: Tensor) -> dict[str, Tensor]:
        best = soft_maximum(self.settings.scale * torch.einsum("bdhw,pd->bphw", cells, texts).flatten(2))  # (B, B)
        own = torch.eye(len(best), dtype=torch.bool)
        caption = (picked(best, own) + picked(best.T, own)) / 2
        return {"follow": 1 - (cells * wanted).sum(1).mean(), "caption": caption}


def soft_maximum(logits: Tensor) -> Tensor:
    """Return the mean of logits (..., N) weighted by their softmax, as (...)."""
    return (logits.softmax(-1) * logits).sum(-1)


def picked(logits: Tensor, right: Tensor) -> Tensor:
    """Return the mean cross entropy of each right column in a row of logits (N, M) against all wrong ones."""
    rows, columns = right.nonzero(as_tuple=True)
    wrong = logits.masked_fill(right, -1e4)[rows]  # (R, M)
    chosen = logits[rows, columns][:, None]  # (R, 1)
    return -torch.cat([chosen, wrong], 1).log_softmax(1)[:, 0].mean()


def train_patch_head(scenes: Scenes, photos: Photos, shape: Shape, settings: PatchSettings) -> PatchHead:
    """Train the head and return it."""
    seed_all(settings.seed)
    rng = np.random.default_rng(settings.seed)
    batches = len(scenes) // settings.scenes
    trainer = PatchTrainer(shape, settings, batches * settings.epochs)
    for epoch in range(settings.epochs):
        sums = Counter[str]()
        for rows in np.split(rng.permutation(len(scenes))[: batches * settings.scenes], batches):
            some = rng.permutation(len(photos))[: settings.photos]
            pairs = zip(scenes.maps.of_rows(rows), photos.maps.of_rows(some), strict=True)
            fine, coarse = (torch.cat(pair) for pair in pairs)
            words, *answers = scenes.ask(rows, settings.plain, rng)
            wanted, texts = photos.ask(some, rng)
            if rng.random() < settings.centred:
                words, texts = (functional.normalize(vectors - scenes.common, dim=1) for vectors in (words, texts))
            sums.update(trainer.train_step((fine, coarse), (words, *answers), (wanted, texts)))
        means = " ".join(f"{name} {total / batches:.3f}" for name, total in sums.items())
        _log.info("epoch %d: %s", epoch + 1, means)
    return trainer.head


def load_patch_head(file: Path) -> PatchHead:
    """Return the head written by this step."""
    state = torch.load(file, weights_only=True)
    head = PatchHead(Shape(**state["shape"])).eval()
    head.load_state_dict(state["head"])
    return head


def _main() -> None:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    tokenizer = Tokenizer(options.tokenizer)
    student = Student.averaged(options.checkpoint).eval().requires_grad_(False)
    teacher_head = Student.after_text(options.text).head.eval().requires_grad_(False)
    scenes = Scenes(student, tokenizer, render_masked_scenes(options.scenes, PREPROCESS.size // 8, PREPROCESS))
    _log.info("%d scenes with %d subjects", len(scenes), len(scenes.marked.subjects))
    pictures = PictureSet.load(options.prepared / "train").first(options.photos)
    names = set(pictures.names)
    words = [caption for caption in corpora.captions(options.data, "train") if caption.image in names]
    photos = Photos(student, teacher_head, pictures, CaptionSampler(words, pictures.names, tokenizer))
    _log.info("%d photos", len(photos))
    head = train_patch_head(scenes, photos, student.shape, PatchSettings(epochs=options.epochs))
    torch.save({"shape": asdict(student.shape), "head": head.state_dict()}, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, default=Path("runs/prepared"))
    parser.add_argument("--tokenizer", type=Path, default=Path("runs/tokenizer.model"))
    parser.add_argument("--text", type=Path, default=Path("runs/text.pt"))
    parser.add_argument("--checkpoint", type=Path, default=Path("runs/mini/checkpoint.pt"))
    parser.add_argument("--out", type=Path, default=Path("runs/cells.pt"))
    parser.add_argument("--epochs", type=int, default=PatchSettings.epochs)
    parser.add_argument("--scenes", type=int, default=4800)
    parser.add_argument("--photos", type=int, default=6000)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    _main()
