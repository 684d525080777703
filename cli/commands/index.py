"""`sightline index`."""

from pathlib import Path

import click

from cli.command_types import IntegerRange, NumberRange, SectionedCommand
from cli.options import json_option, library_option, placement_options
from encoders.placement import Placement

__all__ = ["index"]


_SECTIONS = {
    "Files": ("exclude", "include_hidden", "follow_links", "no_pairs", "max_megapixels", "ocr"),
    "Later runs": ("full", "retry_failed", "accept_missing"),
    "Model": ("model", "device", "precision"),
    "Speed": ("workers", "ray"),
    "Output": ("as_json",),
    "Library": ("library",),
}


@click.command(
    cls=SectionedCommand,
    sections=_SECTIONS,
    epilog="""\b
Examples:
  sightline index ~/Pictures
  sightline index ~/Pictures /mnt/archive --exclude 'Screenshots/' --exclude '*.gif'
  sightline index .   only this part of an indexed folder
  sightline index s3://bucket/photos   objects in S3 (docs/objects.md)

Run it again after pictures have changed, for example from cron: it reads only new and changed files. It can be
stopped at any time without losing finished work. Folders and patterns listed in a .sightlineignore file (in
gitignore syntax) are skipped.
""",
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@library_option
@click.option("--model", help="Model to embed with: a name, or a folder.  [default: the library's, or mini]")
@placement_options
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Skip matching files (gitignore syntax); repeatable.")
@click.option("--include-hidden", is_flag=True, help="Include files and folders whose names begin with a dot.")
@click.option("--follow-links", is_flag=True, help="Follow symbolic links to folders.")
@click.option(
    "--no-pairs", is_flag=True, help="Take RAW files and moving parts beside a JPEG or HEIC as pictures of their own."
)
@click.option(
    "--workers",
    type=IntegerRange(min=1, max=64),
    help="Number of pictures that are read and decoded at a time.  [default: one per core, at most 32]",
)
@click.option(
    "--ray",
    metavar="ADDRESS",
    help="Read and embed on the machines of the Ray cluster at HOST:PORT, or with Ray on this one (`auto`).",
)
@click.option(
    "--max-megapixels",
    type=NumberRange(min=0, min_open=True, max=2000),
    default=200,
    show_default=True,
    help="Refuse larger pictures; those that a lower limit refused are tried again.",
)
@click.option("--full", is_flag=True, help="Read every file again, even if its size and time have not changed.")
@click.option("--retry-failed", is_flag=True, help="Read only the files that could not be read or embedded before.")
@click.option(
    "--accept-missing", is_flag=True, help="Mark pictures as missing even if a whole folder appears to be empty."
)
@json_option
@click.option("--ocr", is_flag=True, help="Then read the text in the pictures, as `sightline ocr` does.")
@click.pass_context
def index(
    ctx: click.Context,
    /,
    paths: tuple[Path, ...],
    library: Path,
    model: str | None,
    placement: Placement,
    exclude: tuple[str, ...],
    include_hidden: bool,
    follow_links: bool,
    no_pairs: bool,
    ocr: bool,
    workers: int | None,
    ray: str | None,
    max_megapixels: float,
    full: bool,
    retry_failed: bool,
    accept_missing: bool,
    as_json: bool,
) -> None:
    """Add folders of pictures to the library, or update it after changes."""
    from cli.indexing import DecodeSettings, IndexSettings, ScanSettings, index_folders

    settings = IndexSettings(
        ScanSettings(exclude=exclude, include_hidden=include_hidden, follow_links=follow_links, pairs=not no_pairs),
        DecodeSettings(max_pixels=round(max_megapixels * 1_000_000)),
        full=full,
        only_failed=retry_failed,
        accept_missing=accept_missing,
    )
    code = index_folders(
        paths,
        settings,
        library=library,
        model=model,
        placement=placement,
        workers=workers,
        ray=ray,
        with_text=ocr,
        as_json=as_json,
    )
    ctx.exit(code)
