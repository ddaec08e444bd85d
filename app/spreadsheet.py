"""CSV that a spreadsheet opens without running anything.

A spreadsheet runs a cell that starts with = + - @, a tab or a carriage return as a formula, and a file's name can
start with any of them (OWASP, CSV Injection). Such a cell gets one apostrophe in front, which spreadsheets take as
"this is text"; so does a cell that already starts with an apostrophe, so that `plain` gives the exact text back.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

PIECE = 2**16  # characters


def lines(columns: Sequence[str], rows: Iterable[Sequence[object]], end: str = "\r\n") -> Iterator[bytes]:
    """A table as UTF-8, piece by piece; every text in it is made safe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator=end)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe(cell) if isinstance(cell, str) else cell for cell in row])
        if buffer.tell() > PIECE:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def safe(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r", "'")) else text


def plain(cell: str) -> str:
    """The text that `safe` was given."""
    return cell.removeprefix("'")
