"""What the server tells Prometheus: requests by route, how long they took, and what the library holds."""

from collections import Counter as Counts
from collections.abc import Iterator
from time import perf_counter
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from store.library import Library
from store.queries import counts
from store.spaces.registry import list_spaces
from web import jobs as work

__all__ = ["Metrics"]

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
"""Any other is counted as `other`: clients invent methods, and each would be a time series."""

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds."""


class Metrics:
    """One server's measurements."""

    def __init__(self, library: Library, jobs: work.Jobs) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Holdings(library, jobs))
        self._requests = Counter(
            "sightline_requests", "Answered requests", ["route", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "sightline_request_seconds", "Time to the last byte", ["route"], registry=self._registry, buckets=BUCKETS
        )

        self._searches = Histogram(
            "sightline_search_seconds",
            "From the question to its answer, both in memory: `ranked` by a model, or `browsed`",
            ["kind"],
            registry=self._registry,
            buckets=BUCKETS,
        )

    def searched(self, kind: Literal["ranked", "browsed"], seconds: float) -> None:
        """Notes how long an answer took."""
        self._searches.labels(kind).observe(seconds)

    def page(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """`app`, measured."""

        async def measured(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            status = 500

            async def send_noted(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            started = perf_counter()
            try:
                await app(scope, receive, send_noted)
            finally:
                # The route's name and never the path: paths would make a time series of every picture.
                route = getattr(scope.get("route"), "name", "other")
                method = scope["method"] if scope["method"] in METHODS else "other"
                self._requests.labels(route, method, status).inc()
                self._seconds.labels(route).observe(perf_counter() - started)

        return measured


class _Holdings(Collector):
    """What the library holds at the moment somebody asks."""

    def __init__(self, library: Library, jobs: work.Jobs) -> None:
        self._library = library
        self._jobs = jobs

    def describe(self) -> list[Metric]:
        """Nothing at registration: there is no need to ask the database for names."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Pictures by state, vectors by space, jobs by kind and state."""
        pictures = GaugeMetricFamily("sightline_pictures", "Files the library knows", labels=["state"])
        for state, number in counts(self._library).items():
            pictures.add_metric([state], number)
        yield pictures
        vectors = GaugeMetricFamily("sightline_vectors", "Vectors by space", labels=["space", "active"])
        for stored, number, active in list_spaces(self._library):
            vectors.add_metric([str(stored.space), str(active).lower()], number)
        yield vectors
        ran = Counts((job.kind, job.state) for job in self._jobs.all())
        remembered = GaugeMetricFamily("sightline_jobs", "The jobs that are remembered", labels=["kind", "state"])
        for kind in ("index", "space"):
            for end in work.State:
                remembered.add_metric([kind, end], ran[kind, end])
        yield remembered
