"""`sightline serve`: open the page, and the HTTP API, on a library."""

from pathlib import Path

import click

from cli.options import library_option

__all__ = ["serve"]

TOKEN_VARIABLE = "SIGHTLINE_TOKEN"


@click.command(
    epilog="""\b
Examples:
  sightline serve   open http://127.0.0.1:8765 in a browser
  sightline serve --library photos.library --port 9000 --open
  SIGHTLINE_TOKEN=$(openssl rand -hex 16) sightline serve --host 0.0.0.0 --name photos.example.org

Only this machine can reach the server unless --host says otherwise; any other address needs a token, which a
browser gives once as /?token=..., and a server that speaks TLS before it (docs/serving.md shows how).
"""
)
@library_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free one.")
@click.option("--token", envvar=TOKEN_VARIABLE, help=f"What a client must know.  [default: ${TOKEN_VARIABLE}]")
@click.option("--name", "names", multiple=True, metavar="HOST", help="A further name of this server; repeatable.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64), help="Requests at a time.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser.")
def serve(
    library: Path, host: str, port: int, token: str | None, names: tuple[str, ...], threads: int, open_page: bool
) -> None:
    """Open the page, and the HTTP API, on a library."""
    from core.errors import ExtraMissing

    try:
        from web.server import run
        from web.settings import ServeSettings
    except ImportError as exc:
        raise ExtraMissing("the page", "web") from exc
    from store import Library

    settings = ServeSettings(host=host, port=port, token=token, names=frozenset(names), threads=threads)

    def ready(url: str) -> None:
        click.echo(f"Sightline is at {url}  (Ctrl-C stops it)", err=True)
        if open_page:
            click.launch(url)

    with Library.open(library, create=True) as opened:
        run(opened, settings, ready)
