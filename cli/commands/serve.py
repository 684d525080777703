"""`sightline serve`."""

from pathlib import Path

import click

from cli.options import ServerOptions, library_option, server_options

__all__ = ["serve"]


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
@server_options
def serve(library: Path, options: ServerOptions) -> None:
    """Serve the web page and the HTTP API of a library."""
    from cli.serving import run_server

    if options.map_attribution and options.map_tiles is None:
        raise click.UsageError("--map-attribution is the text for --map-tiles, which is missing.")
    run_server(library, options)
