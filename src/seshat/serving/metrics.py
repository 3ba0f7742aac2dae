"""Figures for Prometheus: how many, how long, how much waits. No texts, no names."""

from __future__ import annotations

from seshat.serving.service import Service

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The figures of one server, in a registry of its own."""

    def __init__(self, service: Service) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        self.requests = Counter(
            "seshat_requests_total", "Requests", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "seshat_request_seconds", "Seconds of a request", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self.texts = Counter("seshat_texts_total", "Texts asked to be translated", registry=self.registry)
        self.corrections = Counter("seshat_corrections_total", "Corrections stored", registry=self.registry)
        waiting = Gauge("seshat_queue_texts", "Texts that wait for the translator", registry=self.registry)
        waiting.set_function(lambda: service.worker.waiting)
        batches = Histogram("seshat_batch_texts", "Texts translated together", buckets=_BATCHES, registry=self.registry)
        work = Counter("seshat_translator_seconds_total", "Seconds the translator worked", registry=self.registry)

        def observe(count: int, seconds: float) -> None:
            batches.observe(count)
            work.inc(seconds)

        service.worker.observe = observe

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request."""
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def page(self) -> tuple[bytes, str]:
        """The text that Prometheus reads, and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self.registry), CONTENT_TYPE_LATEST
