"""`sightline serve`."""

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

Only this machine can reach the server unless --host names another address. Any other address requires a token,
which a browser sends once as /?token=..., and a TLS proxy in front of the server (docs/serving.md shows how).
"""
)
@library_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on; 0: any free one."
)
@click.option("--token", envvar=TOKEN_VARIABLE, help=f"Token that clients must send.  [default: ${TOKEN_VARIABLE}]")
@click.option("--name", "names", multiple=True, metavar="HOST", help="Another host name of this server; repeatable.")
@click.option(
    "--threads", default=8, show_default=True, type=click.IntRange(1, 64), help="Number of concurrent requests."
)
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser.")
def serve(
    library: Path, host: str, port: int, token: str | None, names: tuple[str, ...], threads: int, open_page: bool
) -> None:
    """Serve the web page and the HTTP API of a library."""
    from cli.serving import run_server

    run_server(library, host=host, port=port, token=token, names=names, threads=threads, open_page=open_page)
