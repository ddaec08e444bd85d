"""Text and times that people send: kept as they are, except for what no database or terminal should hold."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Strict, StringConstraints

_NUMBER = re.compile(r"[-+]?[\d_]*\.?[\d_]*(e[-+]?\d+)?", re.IGNORECASE)


def printable(value: str) -> str:
    """NFC, without control characters and lone surrogates. For names of files, which must never fail an upload."""
    kept = (c for c in unicodedata.normalize("NFC", value) if unicodedata.category(c) not in ("Cc", "Cs"))
    return "".join(kept)


def _line(value: str) -> str:
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in value):
        raise ValueError("control characters are not allowed")
    return unicodedata.normalize("NFC", value)


def _stripped(value: str) -> str:
    """Counted with its blanks, as the API's text says: a length that depends on them could not be written there."""
    if not (kept := value.strip()):
        raise ValueError("there must be more than blanks")
    return kept


def _prose(value: str) -> str:
    """Paragraphs, whatever the line ends of the system they were written on."""
    lines = value.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(_line, line.split("\t"))) for line in lines)


def _written(value: object) -> object:
    """Pydantic takes a number for seconds since 1970, so that 20260501 would be a day of that year."""
    if not isinstance(value, str | datetime) or (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        raise ValueError("write the time as 2026-05-01T12:00:00Z")
    return value


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is out of range") from error


Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_stripped), AfterValidator(_line)]
Prose = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_prose)]
Sought = Annotated[str, StringConstraints(max_length=200), AfterValidator(_line)]  # what a list is filtered by
# A time without a zone is UTC. Not strict itself, or text would be no time in a strict body.
Moment = Annotated[datetime, Strict(False), BeforeValidator(_written), AfterValidator(_utc)]
