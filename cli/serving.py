"""`sightline serve`."""

from pathlib import Path

import click

from core.errors import ExtraMissing
from store import Library

__all__ = ["run_server"]


def run_server(
    library: Path, *, host: str, port: int, token: str | None, names: tuple[str, ...], threads: int, open_page: bool
) -> None:
    """Run the web server until it is stopped."""
    try:  # the packages of the extra `web` may be missing
        from web.server import run
        from web.settings import ServeSettings
    except ImportError as exc:
        raise ExtraMissing("the web server", "web") from exc

    settings = ServeSettings(host=host, port=port, token=token, names=frozenset(names), threads=threads)

    def ready(url: str) -> None:
        click.echo(f"Sightline is running at {url}  (Ctrl-C stops it)", err=True)
        if open_page:
            click.launch(url)

    with Library.open(library, create=True) as opened:
        run(opened, settings, ready)
