"""What answers look like. Names are those of the command line's JSON."""

from datetime import datetime

from pydantic import BaseModel

from store.lookup import ContentRecord
from web.problems import printable

__all__ = ["Picture"]


class Picture(BaseModel):
    """What the library knows of a picture."""

    id: int
    path: str
    """The file, or the first of them; bytes that are not UTF-8 as `\\xNN`."""
    name: str
    """The last part of the path."""
    copies: list[str]
    """Other files of the very same bytes."""
    width: int
    height: int
    format: str
    size: int
    """Bytes."""
    taken_at: datetime | None
    """In the camera's local time."""
    camera: str | None
    lens: str | None
    latitude: float | None
    longitude: float | None

    @classmethod
    def of(cls, record: ContentRecord) -> "Picture":
        """What is known, as JSON says it."""
        paths = [printable(path) for path in record.paths]
        return cls(
            id=record.id,
            path=paths[0],
            name=printable(record.paths[0].name),
            copies=paths[1:],
            width=record.width,
            height=record.height,
            format=record.format,
            size=record.size,
            taken_at=record.taken_at,
            camera=record.camera,
            lens=record.lens,
            latitude=record.latitude,
            longitude=record.longitude,
        )
