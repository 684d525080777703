"""Pictures that are sent to be asked with."""

from fastapi import APIRouter

from web.dependencies import RawBody, ServiceDep, body_of
from web.responses import Said

__all__ = ["router"]

router = APIRouter(tags=["search"])


class Uploaded(Said):
    """A picture that was taken in."""

    id: str
    """For `{"upload": id}` as a part of a query; good for an hour."""
    width: int
    height: int


@router.post(
    "/uploads",
    status_code=201,
    openapi_extra=body_of("application/octet-stream", {"type": "string", "format": "binary"}),
)
def upload(data: RawBody, service: ServiceDep) -> Uploaded:
    """Takes in the bytes of a picture file, to ask with it. It does not become a part of the library."""
    return Uploaded(**service.uploads.keep(data)._asdict())
