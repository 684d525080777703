"""What is wrong with a request that fits no route, and what to send instead: fields, content types, methods."""

import difflib
import types
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple, Union, get_args, get_origin

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import Match, Mount

__all__ = ["RequestFault", "allowed_methods", "describe_fault", "method_hint"]

MAX_REPORTED_FAULTS = 10
"""How many faults of an invalid request are listed."""

MAX_SHOWN_NAME = 100
"""Characters of an unknown name that a hint repeats."""

JSON = "application/json"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class RequestFault(NamedTuple):
    """An invalid request, for a problem document."""

    status: HTTPStatus
    title: str
    detail: str
    hint: str | None


def describe_fault(request: Request, error: RequestValidationError) -> RequestFault:
    """Return what is wrong with the fields of a request, or that its body has a type that the route does not read."""
    faults: Sequence[Mapping[str, Any]] = error.errors()
    if any(tuple(fault["loc"]) == ("body",) for fault in faults) and _wanted_type(request) == JSON:
        sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_missing = any(fault["type"] == "missing" for fault in faults)
        if not is_missing and sent != JSON and not sent.endswith("+json"):
            detail = f"The body is {sent[:MAX_SHOWN_NAME] or 'of no named type'}, and this route reads JSON."
            return RequestFault(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", detail, _json_hint(request))
    lines = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:MAX_REPORTED_FAULTS]]
    if len(faults) > MAX_REPORTED_FAULTS:
        lines.append(f"and {len(faults) - MAX_REPORTED_FAULTS:,} more")
    hint = next(filter(None, (_field_hint(request, fault) for fault in faults[:MAX_REPORTED_FAULTS])), None)
    return RequestFault(HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidRequest", "; ".join(lines), hint)


def allowed_methods(request: Request) -> list[str]:
    """Return the methods that the path of `request` has."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    found = [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return [*found, "HEAD"] if "GET" in found else found


def method_hint(request: Request) -> str | None:
    """Return which methods the path of `request` has; None without any."""
    methods = [method for method in allowed_methods(request) if method != "HEAD"]
    return f"Use {' or '.join(methods)} for {request.url.path}." if methods else None


def _wanted_type(request: Request) -> str | None:
    """Return the content type that the route reads; None for one without a body."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or route.body_field is None:
        return None
    return getattr(route.body_field.field_info, "media_type", JSON)


def _json_hint(request: Request) -> str:
    hint = 'Send JSON, with the header "Content-Type: application/json".'
    is_search = request.url.path.endswith("/search")
    return f"{hint} Forms with pictures go to {request.url.path}/form." if is_search else hint


def _field_hint(request: Request, fault: Mapping[str, Any]) -> str | None:
    """Return which fields there are, and the one that is probably meant, for a field that does not exist."""
    place = [str(name) for name in fault["loc"]]
    if fault["type"] == "missing" and place == ["body"]:
        return _json_hint(request) if _wanted_type(request) == JSON else None
    if fault["type"] != "extra_forbidden":
        return None
    names = _names(request, place)
    close = difflib.get_close_matches(place[-1][:MAX_SHOWN_NAME], names, 1)
    meant = f"Did you mean {close[0]}? " if close else ""
    return f"{meant}The fields are {', '.join(names)}." if names else None


def _names(request: Request, place: Sequence[str]) -> list[str]:
    """Return the names of the fields beside the one at `place`."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return []
    if place[0] == "query":
        parameters = [_model(field.field_info.annotation) for field in route.dependant.query_params]
        return [name for model in parameters if model is not None for name in model.model_fields]
    if route.body_field is None:
        return []
    if _wanted_type(request) != JSON:
        return [field.name for field in route.dependant.body_params]
    model = _model(route.body_field.field_info.annotation)
    for name in place[1:-1]:
        if model is not None and name in model.model_fields:
            model = _model(model.model_fields[name].annotation)
    return [] if model is None else list(model.model_fields)


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the model in an annotation such as `Model`, `list[Model]` or `Model | None`."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation if issubclass(annotation, BaseModel) else None
    if get_origin(annotation) in {list, tuple, Union, types.UnionType}:
        return next(filter(None, map(_model, get_args(annotation))), None)
    return None
