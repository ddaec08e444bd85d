"""Traces by OpenTelemetry: each request, and each job as a child of the request that asked for it.

Only where OTEL_EXPORTER_OTLP_ENDPOINT says who collects them (and the extra `otel` is installed); else nothing of it is
even imported. The usual OTEL_ variables hold: headers, sampler, service name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SILENT = "healthz,readyz,metrics"  # asked every few seconds by machines


class TracingUnavailable(Exception):
    """Traces are asked for, but what sends them is not installed."""

    code = "tracing_unavailable"


def wanted() -> bool:
    return bool(os.environ.get(ENDPOINT))


def check() -> None:
    """Raises TracingUnavailable."""
    if wanted():
        _provider()


def trace_requests(app: FastAPI) -> None:
    """A span for each request. Raises TracingUnavailable."""
    check()
    if wanted():
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        FastAPIInstrumentor.instrument_app(app, excluded_urls=SILENT, exclude_spans=["receive", "send"])


def current() -> str | None:
    """Where we are, as W3C's traceparent: a job's row keeps it. None without traces."""
    if not wanted():
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def job_span(kind: str, parent: str | None, **attributes: Any) -> Iterator[None]:
    """The time of one attempt of a job, sent before this returns: its process ends next."""
    if not wanted():
        yield
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    provider = _provider()
    above = TraceContextTextMapPropagator().extract({"traceparent": parent} if parent else {})
    try:
        with provider.get_tracer("roost").start_as_current_span(f"job {kind}", context=above, attributes=attributes):
            yield
    finally:
        provider.force_flush(5000)


def note_stage(stage: str) -> None:
    """An event on the job's span: from here on it is in this stage."""
    if wanted():
        from opentelemetry.trace import get_current_span

        get_current_span().add_event("stage", {"stage": stage})


@cache
def _provider() -> TracerProvider:
    """Once a process; sends from a thread of its own, and drops spans when nobody takes them."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import set_tracer_provider
    except ImportError as error:
        raise TracingUnavailable(
            f"{ENDPOINT} is set, but OpenTelemetry is not installed: pip install 'roost[otel]', or unset it."
        ) from error
    os.environ.setdefault("OTEL_SERVICE_NAME", "roost")
    provider = TracerProvider(resource=Resource.create({"service.version": version("roost")}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    set_tracer_provider(provider)
    return provider
