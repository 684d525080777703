"""RapidOCR: PaddleOCR's models for detecting and recognising text, exported to ONNX. They are part of its package.

Cui et al., "PaddleOCR 3.0 technical report", 2025; Liao et al., "Real-time scene text detection with differentiable
binarization", AAAI 2020 (the detector).
"""

from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.errors import ExtraMissing, ModelUnavailable
from core.processors import available_cores
from core.text_lines import Corners, TextLine
from encoders.text_recognizer import TextRecognizer

__all__ = ["RapidOCRRecognizer"]

READER_VERSION = 1
"""Raise it with every change here that can change what is read."""

MAX_SIDE, COARSE_SIDE = 2_000, 1_000
"""Longest sides, in pixels, at which a picture is read. The detector misses small letters at the lower one, and whole
lines of large letters at the higher one (docs/text.md)."""

MAX_COVERED = 0.5
"""A line is left out if more than this share of it is within the area of another."""

MIN_CONFIDENCE = 0.5
"""Lines below are mostly patterns that look like letters; RapidOCR's default."""

_MODELS = {"Det": "_det_", "Cls": "_cls_", "Rec": "_rec_"}
"""Part of RapidOCR's configuration to a part of the name of its model: detection, direction, recognition."""


class RapidOCRRecognizer(TextRecognizer):
    """Reads text in Latin scripts, Chinese and Japanese, in any direction. Nothing is downloaded.

    Raises `ExtraMissing` without the package, and `ModelUnavailable` if that lacks models.
    """

    def __init__(self) -> None:
        self._models = {part: _model_file(infix) for part, infix in _MODELS.items()}
        names = "+".join(self._models[part].stem for part in ("Det", "Rec"))
        super().__init__(name="rapidocr", version=f"{names}+{READER_VERSION}", max_side=MAX_SIDE)

    def find_lines(self, image: Image.Image) -> list[TextLine]:
        """Return the lines of text, from top to bottom. Those of large pictures are looked for at two sizes."""
        found = self._find(image)
        if max(image.size) > COARSE_SIDE:
            coarse = image.copy()
            coarse.thumbnail((COARSE_SIDE, COARSE_SIDE), Image.Resampling.LANCZOS)
            found = merged(found, self._find(coarse))
        return in_reading_order(found)

    def _find(self, image: Image.Image) -> list[TextLine]:
        blue_green_red = np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])  # (H, W, 3)
        found = self._engine(blue_green_red)
        if found.txts is None or found.boxes is None or found.scores is None:
            return []
        size = np.array([image.width, image.height], np.float64)
        return [
            TextLine(str(text), float(score), _corners(np.asarray(box, np.float64) / size))  # box: (4, 2)
            for text, score, box in zip(found.txts, found.scores, found.boxes, strict=True)
        ]

    @cached_property
    def _engine(self) -> Any:
        from rapidocr import RapidOCR

        paths = {f"{part}.model_path": str(path) for part, path in self._models.items()}
        return RapidOCR(
            params={
                **paths,  # without a path, it would download a model
                "Global.log_level": "critical",
                "Global.text_score": MIN_CONFIDENCE,
                "Global.max_side_len": MAX_SIDE,
                "EngineConfig.onnxruntime.intra_op_num_threads": available_cores(),
            }
        )


def merged(first: Sequence[TextLine], second: Sequence[TextLine]) -> list[TextLine]:
    """Return the lines of both, but of those at one place only the longest and most certain."""
    kept: list[TextLine] = []
    for line in sorted((*first, *second), key=lambda line: -line.confidence * len(line.text)):
        if all(_covered(line, other) <= MAX_COVERED for other in kept):
            kept.append(line)
    return kept


def in_reading_order(lines: Sequence[TextLine]) -> list[TextLine]:
    """Return the lines from top to bottom; those next to each other from left to right."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: line.corners[1] + line.corners[7]):
        middle = (line.corners[1] + line.corners[7]) / 2
        if rows and rows[-1][0].corners[1] <= middle <= rows[-1][0].corners[7]:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.corners[0])]


def _covered(line: TextLine, other: TextLine) -> float:
    """Return the share of `line` that lies within the outline of `other`, from a grid of points in it."""
    corners, outline = np.reshape(line.corners, (4, 2)), np.reshape(other.corners, (4, 2))
    across, down = np.meshgrid(np.linspace(0.05, 0.95, 10), np.linspace(0.1, 0.9, 5))  # (5, 10) both
    across, down = across.reshape(-1, 1), down.reshape(-1, 1)  # (50, 1)
    upper = corners[0] * (1 - across) + corners[1] * across  # (50, 2)
    points = upper * (1 - down) + (corners[3] * (1 - across) + corners[2] * across) * down
    sides = np.roll(outline, -1, axis=0) - outline  # (4, 2)
    offsets = points[:, None] - outline  # (50, 4, 2)
    turns = sides[:, 0] * offsets[..., 1] - sides[:, 1] * offsets[..., 0]  # (50, 4): which side of each edge
    return float((turns >= 0).all(axis=1).mean())


def _corners(box: np.ndarray[Any, np.dtype[np.float64]]) -> Corners:
    first_x, first_y, second_x, second_y, third_x, third_y, fourth_x, fourth_y = box.ravel().tolist()
    return first_x, first_y, second_x, second_y, third_x, third_y, fourth_x, fourth_y


def _model_file(infix: str) -> Path:
    """Return the model in the package whose name contains `infix`."""
    try:
        installed = files("rapidocr") or []
    except PackageNotFoundError as error:
        raise ExtraMissing("Reading text in pictures", "ocr") from error
    models = sorted(file for file in installed if file.suffix == ".onnx" and infix in file.name)
    paths = [Path(str(file.locate())) for file in models]
    if not paths or not paths[-1].is_file():
        remedy = "Install the package again; its models are missing."
        raise ModelUnavailable("rapidocr", f"a model *{infix}*.onnx, which its package contains", remedy)
    return paths[-1]
