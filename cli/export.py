"""`sightline export`: write the vectors of a space to files."""

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

OUT is a folder to be made: vectors.npy holds the vectors bit for bit as the library keeps them, items.jsonl
says whose they are, in the same order, space.json what made them. `sightline status` lists the spaces.
"""
)
@click.argument("space")
@click.argument("out", type=click.Path(path_type=Path))
@library_option
@click.option("--parquet", is_flag=True, help="Also write vectors.parquet, with names and vectors.")
@json_option
def export(space: str, out: Path, library: Path, parquet: bool, as_json: bool) -> None:
    """Write the vectors of SPACE, a name or a fingerprint, and whose they are to the folder OUT."""
    from cli.output import print_json, print_text, shown
    from cli.progress import ShownProgress
    from store import Library
    from store.exchange import export_space
    from store.spaces.registry import named_space

    with Library.open(library) as opened, ShownProgress("Exporting") as progress:
        stored = named_space(opened, space)
        vectors = export_space(opened, stored, out, parquet=parquet, advance=progress.advance)
    if as_json:
        print_json(
            {
                "space": stored.space.model,
                "fingerprint": stored.space.fingerprint,
                "dim": stored.space.dim,
                "dtype": stored.dtype,
                "vectors": vectors,
                "path": out,
            }
        )
    else:
        print_text(f"{vectors:,} vectors of {stored.space.dim} × {stored.dtype} in {shown(out)}")
