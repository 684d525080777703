"""Weights as files: both towers, the patch head, and the published weights of EfficientNet-Lite2."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.model import Mini, PatchHead, Shape
from training.trunk import Classifier

__all__ = [
    "digest_of",
    "load_patch_head",
    "load_teacher",
    "load_weights",
    "published_weights",
    "save",
    "save_patch_head",
    "save_weights",
]


def save(state: Mapping[str, Any], file: Path) -> None:
    """Write a checkpoint atomically."""
    draft = file.with_suffix(".part")
    torch.save(dict(state), draft)
    draft.replace(file)


def save_weights(model: Mini, file: Path) -> None:
    """Write both towers."""
    save({"shape": asdict(model.shape), "folded": model.is_folded, "model": model.state_dict()}, file)


def load_weights(file: Path) -> Mini:
    """Read both towers, in evaluation mode."""
    state = torch.load(file, map_location="cpu", weights_only=True)
    model = Mini(Shape(**state["shape"]))
    if state["folded"]:
        model.fold()
    model.load_state_dict(state["model"])
    return model.eval()


def save_patch_head(head: PatchHead, shape: Shape, file: Path) -> None:
    """Write a patch head."""
    save({"shape": asdict(shape), "head": head.state_dict()}, file)


def load_patch_head(file: Path) -> PatchHead:
    """Read a patch head, in evaluation mode."""
    state = torch.load(file, map_location="cpu", weights_only=True)
    head = PatchHead(Shape(**state["shape"]))
    head.load_state_dict(state["head"])
    return head.eval()


def digest_of(model: nn.Module) -> str:
    """Return a digest of all weights of a model."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        digest.update(name.encode())
        digest.update(value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def published_weights(data: Path) -> dict[str, Tensor]:
    """Read the weights of EfficientNet-Lite2 (`efficientnet_lite2.pth` of the package that README.md names)."""
    state: dict[str, Tensor] = torch.load(data / "teacher" / "efficientnet_lite2.pth", weights_only=True)
    return state


def load_teacher(data: Path) -> Classifier:
    """Read the teacher: EfficientNet-Lite2 as published, with its classifier."""
    return Classifier(published_weights(data))
