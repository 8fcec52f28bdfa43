"""Counts for Prometheus. Labels come from the routes, never from what a caller sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from inkseal.serve.queue import JobQueue

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The counts of one application."""

    def __init__(self, queue: JobQueue) -> None:
        self._registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self._requests = Counter("inkseal_requests", "Requests answered.", labels, registry=self._registry)
        self._seconds = Histogram("inkseal_request_seconds", "Time to answer.", ("route",), registry=self._registry)
        self._in_flight = Gauge("inkseal_requests_in_flight", "Requests being answered.", registry=self._registry)
        self._tokens = Counter("inkseal_tokens", "Tokens of runs.", ("kind",), registry=self._registry)
        running = Gauge("inkseal_jobs_running", "Generations running.", registry=self._registry)
        running.set_function(lambda: queue.num_running)
        ending = Gauge("inkseal_jobs_ending", "Generations over, being sealed.", registry=self._registry)
        ending.set_function(lambda: queue.num_ending)
        waiting = Gauge("inkseal_jobs_waiting", "Generations waiting for a place.", registry=self._registry)
        waiting.set_function(lambda: queue.num_waiting)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts an answered request; `route` is the route's pattern, not the path."""
        self._requests.labels(route, method if method in METHODS else "-", str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def tokens(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Counts what a run took."""
        self._tokens.labels("prompt").inc(prompt_tokens)
        self._tokens.labels("completion").inc(completion_tokens)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Counts a request as being answered while the block runs."""
        with self._in_flight.track_inprogress():
            yield

    def text(self) -> bytes:
        """Returns the counts in Prometheus' text format."""
        return generate_latest(self._registry)
