"""The OpenAPI text beyond what the routes say themselves: the one error schema, summaries, the errors of every call."""

from typing import Any

from fastapi import FastAPI

from app.access import scopes
from app.problems import Problem, responses


def describe(app: FastAPI) -> None:
    """Complete the text once, when it is first asked for."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            _complete(original())
        return original()

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(text: dict[str, Any]) -> None:
    text.setdefault("components", {}).setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
    for schema in text["components"]["schemas"].values():
        if "example" in schema:  # FastAPI leaves every null out, also where it is the example
            schema["example"] = dict.fromkeys(schema.get("required", ())) | schema["example"]
    for path, operations in text["paths"].items():
        for method, operation in operations.items():
            operation[scopes.NAME] = scopes.needed(method, operation)
            operation["summary"] = _summary(operation["description"])
            for status, entry in responses(*_everywhere(path, operation)).items():
                operation["responses"].setdefault(str(status), entry)


def _summary(description: str) -> str:
    """A docstring's first words, up to where it goes into details."""
    first = description.splitlines()[0]
    for end in (": ", "; ", ". ", " ("):
        first = first.partition(end)[0]
    return first.rstrip(".:;")


def _everywhere(path: str, operation: dict[str, Any]) -> list[int]:
    """Errors before the routes or behind them: no key, too many calls, no JSON or too much, what nobody foresaw."""
    body = operation.get("requestBody", {}).get("content", {})
    known = [] if operation[scopes.NAME] == "none" else [401, 403]
    known += [429] if path.startswith("/v1/") else []
    return [*known, *([400, 413] if "application/json" in body else []), 500]
