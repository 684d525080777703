"""What `sightline eval` was asked for, as its modules hand it on."""

from dataclasses import dataclass
from pathlib import Path

from encoders.placement import Placement

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """What was asked for; one field an option."""

    datasets: tuple[Path, ...]
    spaces: tuple[str, ...]
    library: Path | None
    split: str | None
    langs: tuple[str, ...]
    direction: str
    templates: tuple[str, ...]
    metrics: str | None
    indexes: tuple[str, ...]
    depth: int
    format: str | None
    pictures: Path | None
    query_vectors: tuple[str, ...]
    query_ids: Path | None
    run: Path | None
    qrels: Path | None
    html: Path | None
    plots: Path | None
    save: Path | None
    baseline: Path | None
    as_json: bool
    placement: Placement
