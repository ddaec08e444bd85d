"""The SSL methods and their parameters, without importing any: a child process describes them, once."""

import json
import os
import subprocess
import sys
import threading
from typing import Any

import structlog

from app.encoders.schemas import MethodOut
from app.errors import Invalid, NotFound, Unavailable
from models import registry

log = structlog.get_logger("roost.methods")
PATIENCE_S = 300.0  # importing torch from a cold disk can take a minute


class Methods:
    """What `module` prints, asked for when it is first wanted and kept. Threads that come meanwhile wait."""

    def __init__(self, module: str = "models.ssl.describe") -> None:
        self.module = module
        self._asking = threading.Lock()
        self._known: dict[str, MethodOut] | None = None

    def all(self) -> dict[str, MethodOut]:
        """By name. The first call takes seconds: never make it inside a transaction. Raises Unavailable."""
        with self._asking:
            if self._known is None:
                self._known = self._ask()
            return self._known

    def get(self, name: str) -> MethodOut:
        """Raises NotFound, Unavailable."""
        if found := self.all().get(name):
            return found
        raise NotFound(f"There is no method {name!r}; GET /v1/methods lists them.", code="method_not_found")

    def _ask(self) -> dict[str, MethodOut]:
        path = os.pathsep.join(part for part in (str(registry.ROOT.parent), os.environ.get("PYTHONPATH")) if part)
        command = [sys.executable, "-m", self.module]
        try:
            child = subprocess.run(
                command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, timeout=PATIENCE_S, check=True
            )
            return {entry["name"]: MethodOut(**entry) for entry in json.loads(child.stdout)}
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            stderr = (getattr(error, "stderr", None) or b"").decode(errors="replace")
            log.error("the methods can't be described", command=command, error=repr(error), stderr=stderr[-4000:])
            raise Unavailable(
                "The methods can't be described right now; try again, and see the service's log.",
                code="methods_unavailable",
            ) from error


METHODS = Methods()


def checked(method: MethodOut, params: dict[str, Any]) -> dict[str, Any]:
    """The method's parameters, whole, with the defaults filled in. Invalid (params_invalid) names the wrong one."""
    from jsonschema import Draft202012Validator

    schema = method.params
    properties = schema.get("properties", {})
    for name, value in params.items():
        if name not in properties:
            known = ", ".join(properties)
            raise Invalid(f"params.{name} is no parameter of {method.name}; it has {known}.", code="params_invalid")
        if not _finite(value):
            raise Invalid(f"params.{name} must be finite.", code="params_invalid")
    for error in Draft202012Validator(schema).iter_errors(params):
        raise Invalid(_sentence(list(error.absolute_path), error, schema), code="params_invalid")
    defaults = {name: entry["default"] for name, entry in properties.items() if "default" in entry}
    return defaults | params


def _finite(value: Any) -> bool:
    """JSON has no infinity, but Python's reader takes one, and no limit of a schema stops NaN."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _sentence(path: list[Any], error: Any, schema: dict[str, Any]) -> str:
    if not path:
        return f"params: {error.message}."
    name = ".".join(map(str, path))
    entry = schema["properties"].get(path[0], {}) if len(path) == 1 else error.schema
    return f"params.{name} must be {_expected(entry, schema.get('$defs', {}))}, not {json.dumps(error.instance):.80}."


def _expected(entry: dict[str, Any], defs: dict[str, Any]) -> str:
    """What a schema allows, in words."""
    if "$ref" in entry:
        return _expected(defs.get(entry["$ref"].rpartition("/")[2], {}), defs)
    if choices := entry.get("anyOf"):
        return " or ".join(_expected(choice, defs) for choice in choices)
    if "const" in entry or "enum" in entry:
        return " or ".join(json.dumps(value) for value in entry.get("enum", [entry.get("const")]))
    kinds = {"integer": "an integer", "number": "a number", "boolean": "true or false", "array": "a list"}
    kinds |= {"string": "a text", "object": "an object", "null": "null"}
    return kinds.get(entry.get("type", ""), "of another kind") + _range(entry)


def _range(entry: dict[str, Any]) -> str:
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    words |= {"minLength": "of length at least", "maxLength": "of length at most"}
    limits = [f"{word} {entry[key]:g}" for key, word in words.items() if key in entry]
    return " " + " and ".join(limits) if limits else ""
