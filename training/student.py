"""The student as one module: backbone, grid head, text tower and temperature, and its moving average."""

import copy
from pathlib import Path

import torch
from torch import nn

from encoders.preprocess import Preprocess
from training.model import Backbone, GridHead, Shape, TextTower

__all__ = ["PREPROCESS", "Student"]

PREPROCESS = Preprocess(size=160, mean=(0.45, 0.45, 0.45), std=(0.25, 0.25, 0.25), fit="squash")
"""The preprocessing at inference. It is larger than in training, where random crops show things larger than
they are in whole pictures (Touvron et al., "Fixing the train-test resolution discrepancy", 2019)."""


class Student(nn.Module):
    """Both towers of `mini`."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.backbone = Backbone(shape)
        self.head = GridHead(shape)
        self.text = TextTower(shape)
        self.scale = nn.Parameter(torch.tensor(2.7))

    @classmethod
    def after_text(cls, file: Path) -> "Student":
        """Return a student with the text tower and grid head of step 3, and a random backbone."""
        state = torch.load(file, weights_only=True)
        student = cls(Shape(**state["shape"]))
        space = {name.replace("tower.", "text.", 1): value for name, value in state["space"].items()}
        missing, unexpected = student.load_state_dict(space, strict=False)
        if unexpected or not all(name.startswith("backbone.") for name in missing):
            raise ValueError(f"{file} does not contain a text tower and a grid head")
        return student

    @classmethod
    def averaged(cls, checkpoint: Path) -> "Student":
        """Return the averaged weights of a run of step 4."""
        state = torch.load(checkpoint, weights_only=True)
        student = cls(Shape(**state["shape"]))
        student.load_state_dict(state["average"])
        return student

    def twin(self) -> "Student":
        """Return a copy without gradients."""
        return copy.deepcopy(self).eval().requires_grad_(False)

    @torch.no_grad()
    def follow(self, other: "Student", decay: float) -> None:
        """Move every weight and statistic a step of 1 - `decay` towards those of `other`."""
        for mine, theirs in zip(self.state_dict().values(), other.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)
