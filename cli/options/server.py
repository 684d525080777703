"""The options of `sightline serve`."""

from dataclasses import dataclass
from pathlib import Path

import click

from cli.command_types import IntegerRange
from cli.options.grouping import option_group
from core.settings import SHARED_VARIABLE

__all__ = ["ServerOptions", "server_options"]

TOKEN_VARIABLE = "SIGHTLINE_TOKEN"


@dataclass(frozen=True)
class ServerOptions:
    """How to run the web server, as said on the command line."""

    host: str
    port: int
    token: str | None
    names: tuple[str, ...]
    allowed_folders: tuple[Path, ...]
    map_tiles: str | None
    map_attribution: str
    shared: Path | None
    threads: int
    watch: bool
    run_jobs: bool
    open_page: bool


server_options = option_group(
    "options",
    ServerOptions,
    [
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
        click.option(
            "--port",
            default=8765,
            show_default=True,
            type=IntegerRange(0, 65535),
            help="Port to listen on; 0: any free one.",
        ),
        click.option(
            "--token", envvar=TOKEN_VARIABLE, help=f"Token that clients must send.  [default: ${TOKEN_VARIABLE}]"
        ),
        click.option(
            "--name", "names", multiple=True, metavar="HOST", help="Another host name of this server; repeatable."
        ),
        click.option(
            "--allow-folder",
            "allowed_folders",
            multiple=True,
            metavar="DIR",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Let the page choose folders to index below DIR, also with a token; repeatable.  "
            "[default: without a token, your home folder and other disks]",
        ),
        click.option(
            "--map-tiles",
            metavar="URL",
            help="Let the map load tiles from this server, such as 'https://tiles.example.org/{z}/{x}/{y}.png'.  "
            "[default: an outline of the world, without a network]",
        ),
        click.option("--map-attribution", default="", metavar="TEXT", help="Text to show on the map, for --map-tiles."),
        click.option(
            "--shared",
            envvar=SHARED_VARIABLE,
            metavar="DIR",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Keep thumbnails, uploads and judgements in DIR, which several servers use at the same time.  "
            f"[default: ${SHARED_VARIABLE}, or folders of this server]",
        ),
        click.option(
            "--threads", default=8, show_default=True, type=IntegerRange(1, 64), help="Number of concurrent requests."
        ),
        click.option(
            "--watch",
            is_flag=True,
            help="Index pictures as soon as they change, as `sightline watch` does (docs/watching.md).",
        ),
        click.option(
            "--no-jobs",
            "run_jobs",
            flag_value=False,
            default=True,
            is_flag=True,
            help="Leave jobs to other servers of the library, such as those on machines with its pictures.",
        ),
        click.option("--open", "open_page", is_flag=True, help="Open the page in a browser."),
    ],
)
