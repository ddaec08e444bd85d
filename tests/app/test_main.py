"""The application starts without what only jobs need."""

import json
import subprocess
import sys

HEAVY = (
    "torch",
    "torchvision",
    "timm",
    "sklearn",
    "scipy",
    "pyarrow",
    "faiss",
    "openvino",
    "pandas",
)


def test_importing_the_application_imports_nothing_heavy() -> None:
    """In a fresh interpreter, down to a whole application with its OpenAPI text."""
    code = (
        "import json, sys; from app.main import create_app; create_app().openapi();"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout.splitlines()[-1]) == []
