"""Every SSL method as it describes itself, as one line of JSON: python -m models.ssl.describe

The method files import torch, which the API must not; it asks this process instead.
"""

from __future__ import annotations

import json
from typing import Any

from models import registry


def described() -> list[dict[str, Any]]:
    """name, summary, paper, needs, and the JSON schema of the parameters."""
    return [_described(name) for name in registry.names("ssl.methods")]


def _described(name: str) -> dict[str, Any]:
    method = registry.load("ssl.methods", name)
    return {
        "name": name,
        "summary": method.summary,
        "paper": method.paper,
        "needs": sorted(method.needs),
        "params": method.Params.model_json_schema(),
    }


if __name__ == "__main__":
    print(json.dumps(described()))
