"""Which FAISS is installed: packages for the processor and for GPUs install the same module."""

from typing import NamedTuple

__all__ = ["FaissBuild", "faiss_build"]


class FaissBuild(NamedTuple):
    """The FAISS that is imported."""

    version: str
    kind: str
    """`cpu` or `gpu`."""
    gpus: int
    """The number of GPUs that it can use."""


def faiss_build() -> FaissBuild:
    """Return which build of FAISS is installed."""
    import faiss

    is_gpu = hasattr(faiss, "StandardGpuResources")  # some builds for the processor have `get_num_gpus`, too
    return FaissBuild(faiss.__version__, "gpu" if is_gpu else "cpu", int(faiss.get_num_gpus()) if is_gpu else 0)
