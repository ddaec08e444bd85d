"""No body passes a number or a truth value off as another: true is not 1, "3" is not 3, and "yes" is not true."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, Strict
from pydantic.fields import FieldInfo

import app


def bodies() -> Iterator[Any]:
    """The types of what operations take as JSON."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name.endswith(".routes"):
            for route in importlib.import_module(module.name).router.routes:
                if isinstance(route, APIRoute) and route.body_field is not None:
                    yield route.body_field.field_info.annotation


def values(kind: Any, strict: bool = False) -> Iterator[tuple[Any, bool]]:
    """The plain types that a type is made of, but for the keys of dicts, and whether each is taken strictly."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for field in kind.model_fields.values():
            yield from values(field.annotation, bool(kind.model_config.get("strict")) or _strict(field.metadata))
    elif get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        noted = [one for note in notes for one in (note.metadata if isinstance(note, FieldInfo) else [note])]
        yield from values(inner, strict or _strict(noted))
    elif get_origin(kind) is dict:
        yield from values(get_args(kind)[1], strict)
    elif get_args(kind):
        for part in get_args(kind):
            yield from values(part, strict)
    else:
        yield kind, strict


def _strict(notes: list[Any]) -> bool:
    return any(isinstance(note, Strict) and note.strict for note in notes)


@pytest.mark.parametrize("body", sorted(set(bodies()), key=str), ids=str)
def test_numbers_and_truth_values_are_taken_strictly(body: Any) -> None:
    assert not {kind for kind, strict in values(body) if kind in (int, float, bool) and not strict}
