"""`sightline export`."""

from pathlib import Path

import click

from cli.options import json_option, library_option

__all__ = ["export"]


@click.command(
    epilog="""\b
Examples:
  sightline export mini vectors/
  sightline export clip-b32 vectors/ --parquet
  python -c 'import numpy; print(numpy.load("vectors/vectors.npy").shape)'

OUT is a new folder: vectors.npy contains the vectors exactly as stored, items.jsonl the pictures they belong to, in
the same order, and space.json describes the space. `sightline status` lists the spaces.
"""
)
@click.argument("space")
@click.argument("out", type=click.Path(path_type=Path))
@library_option
@click.option("--parquet", is_flag=True, help="Also write vectors.parquet, with names and vectors.")
@json_option
def export(space: str, out: Path, library: Path, parquet: bool, as_json: bool) -> None:
    """Write the vectors of SPACE, a name or a fingerprint, and their pictures to the folder OUT."""
    from cli.exchange import export_to_folder

    export_to_folder(space, out, library=library, parquet=parquet, as_json=as_json)
