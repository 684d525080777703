"""Whether the server lives, and what it measures of itself."""

from fastapi import APIRouter, Response

from web.dependencies import ServiceDep

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/health")
def health(service: ServiceDep) -> dict[str, str]:
    """Answers `ok` while the catalogue can be read."""
    service.library.revision()
    return {"status": "ok"}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(service: ServiceDep) -> Response:
    """Measurements in Prometheus' text format."""
    return Response(service.metrics.page(), media_type="text/plain; version=0.0.4")
