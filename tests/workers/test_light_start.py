"""Every job is a process of its own: what it imports before its first step is paid by each, however small."""

import subprocess
import sys

import pytest

NEEDLESS = {"fastapi", "starlette", "celery", "kombu", "torch", "openvino"}


@pytest.mark.parametrize("kind", ["ingest", "unpack", "assign", "sweep"])
def test_a_small_job_starts_without_what_it_never_needs(kind: str) -> None:
    code = f"import sys, workers.child, workers.jobs.{kind}; print(sorted({NEEDLESS!r} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
