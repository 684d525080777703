"""`sightline serve`."""

import os
from pathlib import Path

import click

from cli.options import ServerOptions
from core.errors import ExtraMissing
from core.files import absolute
from core.memory import limit_memory_pools
from core.settings import SHARED_VARIABLE
from indexer.watch.notifications import require_watchfiles
from store import Library

__all__ = ["run_server"]


def run_server(library: Path, options: ServerOptions) -> None:
    """Run the web server until it is stopped."""
    try:  # the packages of the extra `web` may be missing
        from web.map_tiles import MapTiles
        from web.server import run
        from web.settings import ServeSettings
    except ImportError as exc:
        raise ExtraMissing("The web server", "web") from exc

    if options.watch:
        require_watchfiles()
    if options.shared is not None:
        os.environ[SHARED_VARIABLE] = str(absolute(options.shared))  # what is not the server's own, such as judgements
    settings = ServeSettings(
        host=options.host,
        port=options.port,
        token=options.token,
        names=frozenset(options.names),
        allowed_folders=tuple(map(absolute, options.allowed_folders)),
        map_tiles=None if options.map_tiles is None else MapTiles(options.map_tiles, options.map_attribution),
        shared=None if options.shared is None else absolute(options.shared),
        threads=options.threads,
        watch=options.watch,
        run_jobs=options.run_jobs,
    )

    def ready(url: str) -> None:
        click.echo(f"Sightline is running at {url}  (Ctrl-C stops it)", err=True)
        if options.open_page:
            click.launch(url)

    limit_memory_pools()
    with Library.open(library, create=True) as opened:
        run(opened, settings, ready)
