"""The same random weights for both programs: as a checkpoint of open_clip, and as the ONNX files of rclip."""

import shutil
from pathlib import Path
from typing import Any

__all__ = ["ARCHITECTURE", "RCLIP_MODEL", "write_models"]

ARCHITECTURE = "ViT-B-32-256"
"""That of rclip 3."""
RCLIP_MODEL = Path("ViT-B-32-256-datacomp_s34b_b86k")
"""The subfolder of its data folder from which rclip 3 loads its model instead of downloading it."""


def write_models(weights: Path, rclip: Path) -> None:
    """Write the checkpoint `weights`, and into the folder `rclip` what it keeps in its data folder."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(14)
    torch.backends.mha.set_fastpath_enabled(False)  # has no form in ONNX
    model = open_clip.create_model(ARCHITECTURE).eval()
    weights.parent.mkdir()
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, weights)
    folder, words = rclip / RCLIP_MODEL, rclip / "tokenizer"
    folder.mkdir(parents=True)
    words.mkdir()
    assert open_clip.__file__
    shutil.copy(Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz", words)
    _export(model, "encode_image", torch.randn(2, 3, 256, 256), folder / "visual.onnx")
    _export(model, "encode_text", open_clip.get_tokenizer(ARCHITECTURE)(["a dog", "a cat"]), folder / "textual.onnx")


def _export(model: Any, method: str, example: Any, file: Path) -> None:
    import torch

    class Tower(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, values: Any) -> Any:
            return getattr(self.model, method)(values)

    names = {"input_names": ["input"], "output_names": ["output"]}
    axes = {"input": {0: "n"}, "output": {0: "n"}}
    torch.onnx.export(Tower().eval(), (example,), str(file), dynamo=False, opset_version=17, dynamic_axes=axes, **names)
