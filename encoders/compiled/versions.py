"""Versions of the packages that make and run compiled models."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["exporter_versions", "package_version"]

EXPORTER = ("torch", "onnx", "onnxruntime", "open_clip_torch", "transformers", "tokenizers", "openvino")
"""Distributions by which it depends whether a model can be compiled, or made in 8 bits."""


def package_version(package: str) -> str:
    """Return the version of an installed distribution, or `missing`."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def exporter_versions() -> dict[str, str]:
    """Return the versions of the packages by which it depends whether a model can be compiled."""
    return {package: package_version(package) for package in EXPORTER}
