"""What the tools return: fewer fields than the HTTP API, because an assistant reads all of them."""

from datetime import datetime

from web.api.albums import AlbumResponse
from web.responses import FacetsResponse, HitResponse, ResponseModel, SearchResponse

__all__ = ["AlbumAnswer", "FacetValueAnswer", "FacetsAnswer", "PictureAnswer", "PicturesAnswer", "TagAnswer"]

MAX_TEXT_LENGTH = 200
"""Characters of the text in a picture that a hit shows. `describe` has all of it."""


class PictureAnswer(ResponseModel):
    """One picture of a result."""

    id: int
    """The ID for `similar`, `describe` and `thumbnail`."""
    path: str
    score: float | None
    """Cosine similarity to the query; null without a query. Only the order of scores means something."""
    relevance: float | None
    """Probability, 0 to 1, that the picture is relevant; null when it is not known."""
    is_relevant: bool | None
    """False for a picture that probably does not answer the query."""
    taken_at: datetime | None
    size: str
    """Width and height in pixels."""
    near_duplicates: int
    """Number of pictures that look the same and are not listed."""
    frame: str | None
    """The page or moment that was found, for example `page 3`."""
    frame_number: int | None
    """The same, for `thumbnail`."""
    text: str
    """The beginning of the text in the picture that matched."""

    @classmethod
    def of(cls, hit: HitResponse) -> "PictureAnswer":
        """Convert a hit of the HTTP API."""
        text = " / ".join(line.text for line in hit.texts)
        return cls(
            id=hit.id,
            path=hit.path,
            score=None if hit.score is None else round(hit.score, 4),
            relevance=None if hit.relevance is None else round(hit.relevance, 3),
            is_relevant=hit.is_relevant,
            taken_at=hit.taken_at,
            size=f"{hit.width}x{hit.height}",
            near_duplicates=hit.stack - 1,
            frame=None if hit.frame is None else hit.frame.label,
            frame_number=None if hit.frame is None else hit.frame.number,
            text=text if len(text) <= MAX_TEXT_LENGTH else text[:MAX_TEXT_LENGTH] + "…",
        )


class PicturesAnswer(ResponseModel):
    """One page of a result, best first."""

    pictures: list[PictureAnswer]
    next: str | None
    """`cursor` of the next page; null on the last one."""
    searched: int
    """Number of pictures that were searched, or, without a query, that match the filters."""
    query: str
    """How the query was read, in the query language."""
    notices: list[str]
    """What the user should know about how the query was read or answered."""

    @classmethod
    def of(cls, response: SearchResponse) -> "PicturesAnswer":
        """Convert an answer of the HTTP API."""
        return cls(
            pictures=[PictureAnswer.of(hit) for hit in response.hits],
            next=response.next,
            searched=response.searched,
            query=response.query,
            notices=[notice.message for notice in response.notices],
        )


class FacetValueAnswer(ResponseModel):
    """One value of a facet."""

    value: str
    count: int
    """Number of pictures with it."""
    filter: str
    """The filter that selects it, for `where`."""


class FacetsAnswer(ResponseModel):
    """Counts of the pictures that match a filter, by facet."""

    count: int
    """Number of matching pictures."""
    facets: dict[str, list[FacetValueAnswer]]

    @classmethod
    def of(cls, response: FacetsResponse, limit: int) -> "FacetsAnswer":
        """Convert an answer of the HTTP API; at most `limit` values of each facet."""
        facets = {
            name: [FacetValueAnswer(value=each.value, count=each.count, filter=each.term) for each in values[:limit]]
            for name, values in response.facets.items()
            if values
        }
        return cls(count=response.count, facets=facets)


class TagAnswer(ResponseModel):
    """A tag, and the number of its pictures."""

    name: str
    pictures: int


class AlbumAnswer(ResponseModel):
    """An album."""

    name: str
    by_hand: bool
    """Whether its pictures were chosen one by one; otherwise it is a saved query."""
    pictures: int | None
    """Number of pictures; null for a saved query."""
    query: str
    """The query of a saved one, for `search`."""

    @classmethod
    def of(cls, response: AlbumResponse) -> "AlbumAnswer":
        """Convert an answer of the HTTP API."""
        return cls(name=response.name, by_hand=response.by_hand, pictures=response.pictures, query=response.query)
