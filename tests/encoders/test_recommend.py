"""Recommendations of models, and the machine they are made for."""

from dataclasses import replace
from pathlib import Path

import pytest

from encoders.machine import Machine, this_machine
from encoders.model_catalog import is_known_weak, recommend

LAPTOP = Machine(memory=16 * 2**30, has_gpu=False)


@pytest.mark.parametrize(
    ("lang", "gpu", "commercial", "name"),
    [
        ("en", False, False, "ViT-B-32-SigLIP2-256/webli"),  # 73.2 within 5 of 75.7, and 33 times as quick
        ("en", True, False, "ViT-B-16-SigLIP2/webli"),  # 75.2 within 1 of 75.7
        ("zh", False, False, "xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k"),
        ("zh", True, False, "xlm-roberta-large-ViT-H-14/frozen_laion5b_s13b_b90k"),
        ("bn", False, False, "nllb-clip-base-siglip/v1"),
        ("cs", False, False, "nllb-clip-base-siglip/v1"),
        ("cs", False, True, "xlm-roberta-large-ViT-H-14/frozen_laion5b_s13b_b90k"),
        ("sw", False, False, "nllb-clip-base-siglip/v1"),
        ("sw", False, True, "xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k"),
    ],
)
def test_recommended_model_for_a_language(lang: str, gpu: bool, commercial: bool, name: str) -> None:
    advice = recommend(lang, replace(LAPTOP, has_gpu=gpu), commercial=commercial)
    assert advice.model is not None
    assert advice.model.name == name
    assert any("Licence: " in reason for reason in advice.reasons)


def test_a_small_machine_keeps_the_built_in_model() -> None:
    advice = recommend("en", Machine(memory=2**30, has_gpu=False))
    assert advice.model is None
    assert advice.reasons == (
        "Every larger model needs at least 2.5 GiB of memory, and this machine has 1.0 GiB: "
        "stay with the built-in model.",
    )


def test_weak_models_are_not_recommended() -> None:
    """Only English models fit into 4 GiB."""
    advice = recommend("de", Machine(memory=4 * 2**30, has_gpu=False))
    assert advice.model is None
    assert "the built-in model was trained on it" in advice.reasons[0]


def test_a_container_limits_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr("encoders.machine.CGROUP_MEMORY_LIMIT", limit)
    free = this_machine().memory
    for text, memory in (("max\n", free), ("1048576\n", 1048576)):
        limit.write_text(text)
        assert this_machine().memory == memory


def test_driver_files_reveal_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoders.machine.GPU_DRIVER_FILES", (tmp_path / "version",))
    monkeypatch.setattr("sys.platform", "linux")
    assert not this_machine().has_gpu
    (tmp_path / "version").touch()
    assert this_machine().has_gpu


@pytest.mark.parametrize(
    ("name", "lang", "weak"),
    [
        ("mini", "de", False),
        ("mini", "es", True),
        ("ViT-B-32/laion2b_s34b_b79k", "de", True),
        ("nllb-clip-large-siglip/v1", "sw", False),
        ("ViT-B-32/laion2b_s34b_b79k?lang=deu_Latn", "de", True),
        ("other/model", "sw", False),
    ],
)
def test_known_weakness_by_name(name: str, lang: str, weak: bool) -> None:
    assert is_known_weak(name, lang) is weak
