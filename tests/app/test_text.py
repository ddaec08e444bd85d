"""What text and times become on their way in."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.search.schemas import Query
from app.text import Line, Moment, Prose, printable

LINE, PROSE, MOMENT = TypeAdapter(Line), TypeAdapter(Prose), TypeAdapter(Moment)


@given(st.text(st.characters(exclude_categories=[]), max_size=50))
def test_printable_text_can_be_stored_anywhere(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert "\x00" not in shown and "\n" not in shown and printable(shown) == shown


@given(st.text(st.characters(exclude_categories=[]), max_size=50))
def test_a_line_is_stored_or_refused(text: str) -> None:
    try:
        line = LINE.validate_python(text)
    except ValidationError:
        return
    line.encode("utf-8")
    assert line == printable(line) == LINE.validate_python(line)


def test_paragraphs() -> None:
    assert PROSE.validate_python("a\r\n\r\n\tb") == "a\n\n\tb"
    for text in ("a\rb", "a\x00", "\x1b[31m", "\x7f", "\x85"):
        with pytest.raises(ValidationError):
            PROSE.validate_python(text)


def test_times_are_utc() -> None:
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for text in ("2026-05-01T12:00:00Z", "2026-05-01T12:00:00", "2026-05-01T14:00:00+02:00"):
        assert MOMENT.validate_python(text) == noon and MOMENT.validate_python(text).tzinfo is UTC
    with pytest.raises(ValidationError, match="out of range"):
        MOMENT.validate_python("9999-12-31T23:59:59-14:00")


def test_a_line_is_counted_with_the_blanks_around_it() -> None:
    assert LINE.validate_python(" " + "x" * 199) == "x" * 199
    with pytest.raises(ValidationError):
        LINE.validate_python("\r" + "x" * 200)
    with pytest.raises(ValidationError):
        LINE.validate_python("  ")


@pytest.mark.parametrize("number", ["0", "0.0", "-5", "1_000", "1e9", ".5", "20260501", " 7 "])
def test_a_number_is_no_time(number: str) -> None:
    with pytest.raises(ValidationError, match="2026-05-01T12:00:00Z"):
        MOMENT.validate_python(number)
    with pytest.raises(ValidationError):
        Query.model_validate_json(json.dumps({"image_id": str(uuid4()), "taken_after": number}))


def test_a_number_in_a_body_is_no_time_either() -> None:
    with pytest.raises(ValidationError):
        Query.model_validate_json(json.dumps({"image_id": str(uuid4()), "taken_after": 5}))


@pytest.mark.parametrize("written", ["2026-05-01", "2026-05-01T12:00:00Z", "2026-05-01 12:00+02:00"])
def test_times_in_parameters_and_in_strict_bodies(written: str) -> None:
    body = json.dumps({"image_id": str(uuid4()), "taken_after": written})
    assert Query.model_validate_json(body).taken_after == MOMENT.validate_python(written)
