"""Text that people send: kept as it is, except for what no database or terminal should hold."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def printable(value: str) -> str:
    """NFC, without control characters and lone surrogates. For names of files, which must never fail an upload."""
    kept = (c for c in unicodedata.normalize("NFC", value) if unicodedata.category(c) not in ("Cc", "Cs"))
    return "".join(kept)


def _stored(value: str) -> str:
    if any(unicodedata.category(c) in ("Cs",) or (c < " " and c not in "\n\t") or c == "\x7f" for c in value):
        raise ValueError("control characters are not allowed")
    return unicodedata.normalize("NFC", value)


Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_stored)]
Prose = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_stored)]
