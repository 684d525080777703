"""The exported files compute what the trained modules compute."""

from pathlib import Path

import numpy as np
import pytest

from encoders.mini.encoder import MiniEncoder
from encoders.mini.tokenizer import Tokenizer
from training.scenes import scene_captions, scene_pictures
from training.tokenizer import train_tokenizer

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

PIECES = 700


@pytest.fixture(scope="module")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    train_tokenizer((caption.text for caption in scene_captions(8)), PIECES, file)
    return file


@pytest.fixture(scope="module")
def parts():  # type: ignore[no-untyped-def]
    """Return both towers and a patch head with random weights and random statistics."""
    from training.model import Mini, PatchHead, Shape

    torch.manual_seed(0)
    shape = Shape(dim=32, head_width=16, pieces=PIECES, text_width=16, text_layers=1, patch_width=8)
    model = Mini(shape)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval(), PatchHead(shape).eval()


@pytest.fixture(scope="module")
def folder(parts, tokenizer_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # type: ignore[no-untyped-def]
    from training.export import export

    out = tmp_path_factory.mktemp("exported")
    model, patches = parts
    differences = export(model, patches, tokenizer_file, out)
    assert differences.keys() == {"image", "cells", "text"}
    assert max(differences.values()) < 0.01  # float16 and int8 rounding, at sides of 208, 512 and 97 pixels
    return out


def test_the_encoder_reads_sizes_and_limits_from_the_card(folder: Path) -> None:
    mini = MiniEncoder(folder)
    assert (mini.card["version"], mini.space.dim, mini.context_length) == ("3", 32, 40)
    assert (mini.preprocess.size, mini.patch_preprocess.size) == (208, 512)


def test_pictures_and_patches_equal_those_of_torch(parts, folder: Path) -> None:  # type: ignore[no-untyped-def]
    model, patches = parts
    mini = MiniEncoder(folder)
    squares = np.stack([mini.preprocess.pixels(image) for _, image in scene_pictures(3)])
    large = np.stack([mini.patch_preprocess.pixels(image) for _, image in scene_pictures(1)])
    with torch.no_grad():
        expected = model(torch.from_numpy(mini.preprocess.normalise(squares)))
        fine, coarse = model.trunk.maps(torch.from_numpy(mini.preprocess.normalise(large)))
        cells = patches(fine, coarse).permute(0, 2, 3, 1)
    assert cells.shape == (1, 32, 32, 32)
    np.testing.assert_allclose(mini.encode_pixels(squares), expected.numpy(), atol=0.01)
    np.testing.assert_allclose(mini.encode_patches(large), cells.numpy(), atol=0.01)


def test_texts_equal_those_of_torch(parts, folder: Path, tokenizer_file: Path) -> None:  # type: ignore[no-untyped-def]
    model, tokenizer = parts[0], Tokenizer(tokenizer_file, 40)
    texts = ["a dog", "", "一辆红色汽车", "dog " * 60]  # the third is "a red car"; the last is truncated
    ids = [torch.tensor([tokenizer(text)]) for text in texts]
    assert ids[-1].shape == (1, 40)
    with torch.no_grad():
        wanted = torch.cat([model.text(row, torch.ones(row.shape)) for row in ids])
    np.testing.assert_allclose(MiniEncoder(folder).encode_texts(texts), wanted.numpy(), atol=0.01)


def test_the_table_is_stored_as_int8_and_the_rest_as_float16(folder: Path) -> None:
    import onnx

    kinds = {
        tensor.data_type
        for name in ("image", "cells", "text")
        for tensor in onnx.load(folder / f"{name}.onnx").graph.initializer
        if np.prod(tensor.dims) >= 1024
    }
    assert kinds == {onnx.TensorProto.INT8, onnx.TensorProto.FLOAT16}
