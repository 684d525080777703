"""Metrics for Prometheus: requests by route, their duration, and the contents of the library."""

from collections.abc import Iterator
from time import perf_counter
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.jobs import KINDS
from store.jobs import JobState, count_jobs
from store.library import Library
from store.queries import count_by_state
from store.spaces.registry import list_spaces

__all__ = ["Metrics"]

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
"""Other methods are counted as `other`, since each would become a time series."""

BUCKET_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Upper bounds of the histograms, in seconds."""


class Metrics:
    """The metrics of one server."""

    def __init__(self, library: Library) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_LibraryCollector(library))
        self._requests = Counter(
            "sightline_requests", "Answered requests", ["route", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "sightline_request_seconds",
            "Time to the last byte",
            ["route"],
            registry=self._registry,
            buckets=BUCKET_SECONDS,
        )

        self._searches = Histogram(
            "sightline_search_seconds",
            "Time from the parsed query to the response: `ranked` by a model, or `browsed`",
            ["kind"],
            registry=self._registry,
            buckets=BUCKET_SECONDS,
        )

    def observe_search(self, kind: Literal["ranked", "browsed"], seconds: float) -> None:
        """Record the duration of a search."""
        self._searches.labels(kind).observe(seconds)

    def export(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Wrap `app` to count and time its requests."""

        async def measured(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            status = 500

            async def send_and_note(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            started = perf_counter()
            try:
                await app(scope, receive, send_and_note)
            finally:
                # The route's name, not the path, which would make a time series of every picture.
                route = getattr(scope.get("route"), "name", "other")
                method = scope["method"] if scope["method"] in METHODS else "other"
                self._requests.labels(route, method, status).inc()
                self._seconds.labels(route).observe(perf_counter() - started)

        return measured


class _LibraryCollector(Collector):
    """Collects the contents of the library when the metrics are requested."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def describe(self) -> list[Metric]:
        """Return nothing, so that registration does not query the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield pictures by state, vectors by space, and jobs by kind and state."""
        pictures = GaugeMetricFamily("sightline_pictures", "Files in the library", labels=["state"])
        for state, number in count_by_state(self._library).items():
            pictures.add_metric([state], number)
        yield pictures
        vectors = GaugeMetricFamily("sightline_vectors", "Vectors by space", labels=["space", "active"])
        for summary in list_spaces(self._library):
            vectors.add_metric([str(summary.stored.space), str(summary.is_active).lower()], summary.vectors)
        yield vectors
        job_counts = count_jobs(self._library)
        jobs = GaugeMetricFamily("sightline_jobs", "Unfinished and recent jobs", labels=["kind", "state"])
        for kind in KINDS:
            for job_state in JobState:
                jobs.add_metric([kind, job_state], job_counts[kind, job_state])
        yield jobs
