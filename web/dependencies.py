"""FastAPI dependencies of the routes."""

from typing import Annotated, Any

from fastapi import Depends, Request

from web.service import Service

__all__ = ["RawBody", "ServiceDep", "raw_body_schema"]


async def _service(request: Request) -> Service:  # async: FastAPI would call a plain function in a thread
    service: Service = request.app.state.service
    service.look_at_places()
    return service


ServiceDep = Annotated[Service, Depends(_service)]
"""The service that all requests share."""


async def _raw(request: Request) -> bytes:
    return await request.body()


RawBody = Annotated[bytes, Depends(_raw)]
"""The bytes of the request body, regardless of its content type."""


def raw_body_schema(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a `RawBody` for the OpenAPI document."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}
