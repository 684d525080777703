"""The file of an upload: the body of the request, or the only file of a form (`curl -F file=@picture.jpg`)."""

from typing import Annotated, Any

from fastapi import Depends
from starlette.datastructures import UploadFile
from starlette.requests import Request

from core.errors import InvalidQuery

__all__ = ["UPLOAD_SCHEMA", "UploadedFile"]

MAX_FORM_PARTS = 10
"""Files, and other fields, of a form: a form of many parts takes much more memory than its length."""

_BINARY = {"type": "string", "format": "binary"}
_FORM = {"type": "object", "properties": {"file": _BINARY}, "required": ["file"], "additionalProperties": False}

UPLOAD_SCHEMA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": _BINARY}, "multipart/form-data": {"schema": _FORM}},
    }
}
"""Describes an `UploadedFile` for the OpenAPI document."""


async def _uploaded(request: Request) -> bytes:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await request.body()
    async with request.form(max_files=MAX_FORM_PARTS, max_fields=MAX_FORM_PARTS) as form:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if len(files) != 1:
            raise InvalidQuery(f"The form has {len(files)} files. Send one: curl -F file=@picture.jpg")
        return await files[0].read()


UploadedFile = Annotated[bytes, Depends(_uploaded)]
"""The bytes of the uploaded file."""
