"""What a route asks for in its arguments."""

from typing import Annotated, Any

from fastapi import Depends, Request

from web.service import Service

__all__ = ["RawBody", "ServiceDep", "body_of"]


async def _service(request: Request) -> Service:  # "async": a plain function would be called in a thread each time
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(_service)]
"""The one service behind all requests."""


async def _raw(request: Request) -> bytes:
    return await request.body()


RawBody = Annotated[bytes, Depends(_raw)]
"""The bytes of the request, whatever they are said to be."""


def body_of(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    """How the API's document describes a `RawBody`."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}
