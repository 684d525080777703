"""What a route asks for in its arguments."""

from typing import Annotated

from fastapi import Depends, Request

from web.service import Service

__all__ = ["ServiceDep"]


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(_service)]
"""The one service behind all requests."""
