"""The API conforms to its OpenAPI document, tested with valid and invalid requests by Schemathesis."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.openapi import from_asgi
from schemathesis.specs.openapi.checks import positive_data_acceptance

from store import Library
from tests.support.examples import EXAMPLES_FACTOR
from tests.support.web import BASE_URL
from web import ServeSettings, create_app

DOCUMENT = "/api/v1/openapi.json"
EXAMPLES = 5 * EXAMPLES_FACTOR
"""Number of valid, and of invalid, requests to each route."""


@pytest.fixture
def app(indexed: Library, tmp_path: Path) -> Iterator[FastAPI]:
    """An app that indexes no new folders: a generated path might be the whole disk."""
    made = create_app(indexed, ServeSettings(cache=tmp_path / "cache", index_folders=False))
    deadline = monotonic() + 60
    while not made.state.service.readiness.report().ready:  # until then, its route answers 503
        assert monotonic() < deadline
        sleep(0.01)
    yield made
    made.state.service.close()


def faults(operation: Any, mode: GenerationMode) -> Iterator[str]:
    """Yield the failures that Schemathesis finds in a route."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Case[Any]) -> None:
        # Not every text is a valid query, which the document cannot express.
        case.call_and_validate(base_url=BASE_URL, excluded_checks=[positive_data_acceptance])

    try:
        check()
    except Unsatisfiable:  # a route without arguments has no invalid requests
        return
    except FailureGroup as failures:
        yield from (f"{operation.label}: {failure}" for failure in failures.exceptions)


def test_api_conforms_to_its_openapi_document(app: FastAPI) -> None:
    schema = from_asgi(DOCUMENT, app, headers={"Host": BASE_URL.removeprefix("http://")})
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) > 30
    assert [fault for each in operations for mode in GenerationMode for fault in faults(each, mode)] == []


def test_schemathesis_detects_internal_errors(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.api.status.list_failures", lambda *_: 1 / 0)
    schema = from_asgi(DOCUMENT, app, headers={"Host": BASE_URL.removeprefix("http://")})
    broken = schema["/api/v1/failures"]["GET"]
    assert "Server error" in "".join(faults(broken, GenerationMode.POSITIVE))


def test_every_route_is_described_and_has_an_example(shared: TestClient) -> None:
    document = shared.get(DOCUMENT).json()
    routes = [route for methods in document["paths"].values() for route in methods.values()]
    assert {tag for route in routes for tag in route["tags"]} == {tag["name"] for tag in document["tags"]}
    assert all(tag["description"] for tag in document["tags"])
    assert all("default" in route["responses"] for route in routes)  # a problem document
    for route in routes:
        for body in route.get("requestBody", {}).get("content", {}).values():
            wanted = body["schema"]
            if "$ref" in wanted:
                wanted = document["components"]["schemas"][wanted["$ref"].rpartition("/")[2]]
            is_json = wanted.get("type") == "object" and "multipart" not in str(route["requestBody"])
            assert not is_json or wanted.get("examples"), route["operationId"]
