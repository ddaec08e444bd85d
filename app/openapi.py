"""The OpenAPI text beyond what the routes say themselves: the one error schema, summaries, the errors of every call."""

from typing import Any

from fastapi import FastAPI

from app.errors import Problem, responses


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
    for operations in text["paths"].values():
        for operation in operations.values():
            operation["summary"] = _summary(operation["description"])
            for status, entry in responses(*_everywhere(operation)).items():
                operation["responses"].setdefault(str(status), entry)


def _summary(description: str) -> str:
    """A docstring's first words, up to where it goes into details."""
    first = description.splitlines()[0]
    for end in (": ", "; ", ". ", " ("):
        first = first.partition(end)[0]
    return first.rstrip(".:;")


def _everywhere(operation: dict[str, Any]) -> list[int]:
    """Errors that come before the routes or behind them: a body that is no JSON, and what nobody foresaw."""
    body = operation.get("requestBody", {}).get("content", {})
    return [400, 500] if "application/json" in body else [500]
