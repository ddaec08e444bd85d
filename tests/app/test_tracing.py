"""Traces: a request and the job that it asked for are one trace, at whoever collects them; else nobody is told."""

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app import tracing
from app.main import create_app
from app.settings import Settings
from tests.app.calls import new_collection
from tests.fixtures.pictures import jpeg
from tests.fixtures.services import ROOST, Service, environment


@pytest.fixture
def collector() -> Iterator[tuple[str, list[Any]]]:
    """Its address, and the spans that it was sent."""
    spans: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            spans.extend(span for of in sent.resource_spans for scope in of.scope_spans for span in scope.spans)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", spans
    server.shutdown()
    server.server_close()


def test_a_job_belongs_to_the_trace_of_its_request(tmp_path: Path, collector: tuple[str, list[Any]]) -> None:
    address, spans = collector
    data = tmp_path / "data"
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    service = Service(data, environment(data, **told)).start()
    collection_id = new_collection(service.client, "traced")
    sent = service.client.post(f"/v1/collections/{collection_id}/images", files=[("files", ("a.jpg", jpeg("red", 1)))])
    assert service.job(sent.json()["job_id"])["state"] == "succeeded"
    assert service.stop() == [0]  # sends what it has not sent yet
    (job,) = [span for span in spans if span.name == "job ingest"]
    (request,) = [span for span in spans if span.name == "POST /v1/collections/{collection_id}/images"]
    assert job.trace_id == request.trace_id and job.parent_span_id == request.span_id
    assert [event.attributes[0].value.string_value for event in job.events] == ["ingest"]
    assert not [span.name for span in spans if "readyz" in span.name]


def test_nothing_is_traced_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(tracing.ENDPOINT, raising=False)
    app = create_app(Settings(data=tmp_path))
    assert not getattr(app, "_is_instrumented_by_opentelemetry", False) and tracing.current() is None


def test_without_the_extra_the_service_says_what_to_do(tmp_path: Path) -> None:
    """What sends them is hidden from the process, as it is where nobody installed it."""
    hidden = 'import sys\nsys.modules["opentelemetry.exporter"] = None\n'
    (tmp_path / "sitecustomize.py").write_text(hidden)
    told = {tracing.ENDPOINT: "http://127.0.0.1:9", "PYTHONPATH": str(tmp_path)}
    command = [ROOST, "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    done = subprocess.run(
        command, env=environment(tmp_path / "data", **told), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1 and "roost[otel]" in done.stderr and "Traceback" not in done.stderr, done.stderr
