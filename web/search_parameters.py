"""Searches that fit into an address, and forms with pictures: the same search as a JSON body, with fewer fields."""

from http import HTTPStatus
from typing import Any

from fastapi import UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from core.errors import InvalidQuery
from web.requests import MAX_PARTS, MAX_QUERY_LENGTH, QueryPartRequest, RequestModel, ResultRequest, SearchRequest

__all__ = ["FORM_FIELDS", "SearchParameters", "form_search", "require_form_fields"]

FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")
FORM_FIELDS = ("request", "file", "files", "q", "where", "k", "sort")


class AddressQuery(RequestModel):
    """A query and filters as parameters of an address."""

    q: str = Field(
        "",
        max_length=MAX_QUERY_LENGTH,
        description="The query, in the query language (docs/searching.md)",
        examples=["a dog in the snow"],
    )
    where: str = Field("", max_length=MAX_QUERY_LENGTH, description="Filters only, in the query language")
    plain: bool = Field(False, description="Take `q` as plain text, without operators or filters")


class SearchParameters(ResultRequest, AddressQuery):
    """A search in an address. A part of a query that the query language cannot express needs `POST /search`."""

    def as_request(self) -> SearchRequest:
        """Return the search as the body of `POST /search`."""
        fields = self.model_dump()
        return SearchRequest(query=fields.pop("q"), **fields)


def form_search(text: str | None, fields: dict[str, Any], files: list[UploadFile]) -> SearchRequest:
    """Return the search of a form: the JSON in `request`, or the plain `fields` with all `files` as parts.

    Raises `InvalidQuery` for invalid JSON, for both, or for too many files, and `RequestValidationError` for an invalid
    field.
    """
    if len(files) > MAX_PARTS:
        raise InvalidQuery(f"The form has {len(files):,} files (limit: {MAX_PARTS}). Send fewer of them.")
    given = {name: value for name, value in fields.items() if value is not None}
    if text is not None:
        if given:
            raise InvalidQuery(f"A form has either `request` or {', '.join(f'`{name}`' for name in given)}, not both.")
        return SearchRequest.from_form(text)
    parts = [QueryPartRequest.model_validate({"file": number}) for number in range(len(files))]
    try:
        return SearchRequest(query=given.pop("q", ""), parts=parts, **given)
    except ValidationError as exc:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in exc.errors(include_url=False)]
        raise RequestValidationError(faults) from exc


async def require_form_fields(request: Request) -> None:
    """Raise `RequestValidationError` for a field that a form of a search does not have: it would have no effect.

    Raises `HTTPException` for a body that is no form.
    """
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent and sent not in FORM_TYPES:
        message = f"The body is {sent[:100]}, and this route reads forms. JSON goes to POST /api/v1/search."
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)
    form = await request.form()  # parsed already
    if not form:
        raise InvalidQuery("The form is empty. Send pictures as `file`, and a query as `q`.")
    unknown = [name for name in form if name not in FORM_FIELDS]
    if unknown:
        message = "Extra inputs are not permitted"
        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("body", unknown[0]), "msg": message}])
