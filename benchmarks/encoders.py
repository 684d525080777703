"""Pictures per second of open_clip models: here in 32 and 16 bits, and with plain open_clip.

    python -m benchmarks.encoders [ARCHITECTURE ...]

Decoded pictures of 640 x 480 pixels become vectors, preprocessing included, 16 at a time. Weights are random: speed
does not depend on them. The three take turns, so that other load on the machine affects all of them; the rates are
medians of the turns, the ratios medians of the ratios within a turn.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from encoders import registry
from encoders.placement import Placement

BATCH = 16


def main() -> None:
    """Print a table row for each architecture."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="*", default=["ViT-B-32", "RN50"])
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pictures = _pictures()
    print("| model | open_clip | here, float32 | here, bfloat16 | float32 / open_clip | bfloat16 / float32 | cosine |")
    print("|---|---|---|---|---|---|---|")
    for architecture in options.architectures:
        with tempfile.TemporaryDirectory() as folder:
            print(_row(architecture, Path(folder), pictures, options.turns), flush=True)


def _row(architecture: str, folder: Path, pictures: list[Image.Image], turns: int) -> str:
    import open_clip
    from safetensors.torch import save_file

    model, _, transform = open_clip.create_model_and_transforms(architecture)
    weights = folder / "model.safetensors"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, weights)
    exact, short = (registry.load(f"{architecture}:{weights}", Placement("cpu", bits)) for bits in ("fp32", "bf16"))
    ways: list[Callable[[], Any]] = [
        lambda: _plainly(model.eval(), transform, pictures),
        lambda: exact.encode_images(pictures),
        lambda: short.encode_images(pictures),
    ]
    plain, ours, rounded = (way() for way in ways)  # warm-up: weights are read, kernels chosen
    np.testing.assert_allclose(ours, plain, atol=1e-4)
    seconds = [[_timed(way) for way in ways] for _ in range(turns)]
    rates = [len(pictures) / median(column) for column in zip(*seconds, strict=True)]
    ratios = [median(turn[before] / turn[after] for turn in seconds) for before, after in ((0, 1), (1, 2))]
    numbers = " | ".join(f"{rate:.1f}" for rate in rates)
    return f"| {architecture} | {numbers} | {ratios[0]:.2f} | {ratios[1]:.2f} | {(ours * rounded).sum(1).min():.5f} |"


def _plainly(model: Any, transform: Any, pictures: list[Image.Image]) -> Any:
    """Embed pictures as the documentation of open_clip does."""
    import torch

    with torch.no_grad():
        batches = [pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH)]
        found = [model.encode_image(torch.stack([transform(picture) for picture in batch])) for batch in batches]
        return torch.nn.functional.normalize(torch.cat(found), dim=-1).numpy()


def _timed(way: Callable[[], Any]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def _pictures(count: int = BATCH) -> list[Image.Image]:
    """Return a smooth random picture, so that interpolation matters."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (count, 12, 16, 3), np.uint8)
    return [Image.fromarray(light).resize((640, 480), Image.Resampling.BICUBIC) for light in coarse]


if __name__ == "__main__":
    main()
