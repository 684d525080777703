"""The weights of the trial from which the shipped ones were continued, in place of the first training step.

    python -m training.trial --trial DIR --out runs

`DIR` contains `A2_trunk.pt`, `A2_rest.pt`, `A2_table.pt` and `tokenizer.model`. It writes `pixels/weights.pt` and
`tokenizer.model`.
"""

import argparse
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.model import Mini, Shape
from training.weights import save_weights

__all__ = ["trial_weights"]

_TRIAL_NAMES = {
    "head": {"w": "weight"},
    "text": {"e": "embed", "p": "place", "c": "near", "ls": "layers", "n": "norm", "w": "weight", "o": "out"},
    "layer": {"a": "attention_norm", "b": "mlp_norm", "m": "merge"},
}
"""Names of modules in the files of the trial, where they differ."""


def trial_weights(folder: Path, continued: Path | None = None) -> Mini:
    """Return the weights of the trial in `folder`.

    `continued` is a checkpoint of a run that continued them from the last blocks of the trunk on: a list of the folded
    end of the trunk, the head and the text tower.
    """
    model = Mini(Shape())
    model.trunk.load_published(_float32(_read(folder / "A2_trunk.pt")["trunk"]))
    rest, table = _read(folder / "A2_rest.pt"), _read(folder / "A2_table.pt")
    text = {name: value for name, value in rest["text"].items() if not name.startswith("e5.")}
    model.head.load_state_dict(_renamed(rest["head"], "head"))
    model.text.load_state_dict(_renamed({**text, "e.weight": table}, "text"))
    if continued is not None:
        model.fold()
        tail, head, text = _read(continued)[:3]
        first = len(model.trunk.blocks) - len({name.split(".")[1] for name in tail if name.startswith("blocks.")})
        missing, unexpected = model.trunk.load_state_dict({_moved(n, first): v for n, v in tail.items()}, strict=False)
        if unexpected or len(missing) + len(tail) != len(model.trunk.state_dict()):
            raise ValueError(f"{continued} does not contain the end of the trunk")
        model.head.load_state_dict(_renamed(head, "head"))
        model.text.load_state_dict(_renamed(text, "text"))
    return model.eval()


def _read(file: Path) -> Any:
    return torch.load(file, map_location="cpu", weights_only=True)


def _float32(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def _renamed(state: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """Return float32 tensors with the names that the modules have here."""
    return {_name(name.split("."), part): value for name, value in _float32(state).items()}


def _name(path: list[str], part: str) -> str:
    first = _TRIAL_NAMES[part].get(path[0], path[0])
    if first == "layers":
        return ".".join((first, path[1], _TRIAL_NAMES["layer"].get(path[2], path[2]), *path[3:]))
    return ".".join((first, *path[1:]))


def _moved(name: str, first: int) -> str:
    """Return the name of a parameter of the trunk whose blocks are counted from block `first` on."""
    head, *rest = name.split(".")
    return ".".join((head, str(int(rest[0]) + first), *rest[1:])) if head == "blocks" else name


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trial", type=Path, required=True)
    parser.add_argument("--continued", type=Path, help="a checkpoint of a run that continued them")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    options = parser.parse_args()
    (options.out / "pixels").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(options.trial / "tokenizer.model", options.out / "tokenizer.model")
    save_weights(trial_weights(options.trial, options.continued), options.out / "pixels" / "weights.pt")


if __name__ == "__main__":
    _main()
