"""A server of the Model Context Protocol: tools with which an assistant searches a library."""

from web.mcp.server import create_server, run

__all__ = ["create_server", "run"]
