"""A folder of small pictures that keeps changing, and the vectors that its pictures must have."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Photos"]


@dataclass
class Photos:
    """Pictures of four colours. Each has a number, which it keeps when it is edited or renamed."""

    folder: Path
    chance: Random
    numbers: dict[bytes, int] = field(default_factory=dict)
    """SHA-256 of each content that ever was -> number of its picture."""
    vectors: dict[bytes, NDArray[np.float32]] = field(default_factory=dict)
    """SHA-256 -> vector of the model `fake` (13,), computed by hand."""
    files: dict[int, Path] = field(default_factory=dict)
    """Number -> file, relative to the folder; of files that are there."""

    def add(self, part: str, count: int) -> list[int]:
        """Write new pictures into a subfolder, and return their numbers."""
        added = []
        for _ in range(count):
            number = max(self.numbers.values(), default=0) + 1
            self.files[number] = Path(part) / f"{number}.png"
            self._write(number)
            added.append(number)
        return added

    def edit(self, number: int) -> None:
        """Replace a file by another picture."""
        self._write(number)

    def rename(self, number: int) -> None:
        """Rename a file."""
        new = self.files[number].with_name(f"{number}-{self.chance.randrange(10**6)}.png")
        self.path(number).rename(self.folder / new)
        self.files[number] = new

    def delete(self, number: int) -> None:
        """Delete a file."""
        self.path(number).unlink()
        del self.files[number]

    def path(self, number: int) -> Path:
        return self.folder / self.files[number]

    def move(self, new: Path) -> None:
        """Rename the folder."""
        self.folder.rename(new)
        self.folder = new

    def _write(self, number: int) -> None:
        corners = np.array([[self.chance.randrange(256) for _ in range(3)] for _ in range(4)], np.uint8)  # (4, 3)
        pixels = corners.reshape(2, 2, 3).repeat(4, 0).repeat(4, 1)  # (8, 8, 3)
        path = self.path(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}")
        Image.fromarray(pixels).save(draft, "PNG")
        draft.replace(path)
        digest = hashlib.sha256(path.read_bytes()).digest()
        vector = np.append(corners.reshape(12) / 255, 0.1).astype(np.float32)
        self.numbers[digest] = number
        self.vectors[digest] = vector / np.linalg.norm(vector)
