"""A propagation's labels as CSV, streamed row by row from the database."""

import csv
import io
from collections.abc import Iterator
from uuid import UUID

from app.db.session import Database
from app.labels import repository
from app.spreadsheet import safe

COLUMNS = ("image_id", "name", "label", "guess", "confidence", "given")


def as_csv(database: Database, propagation_id: UUID) -> Iterator[bytes]:
    """An unknown image's label is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    with database.reading() as session:
        for row in repository.rows(session, propagation_id):
            label, guess = safe(row.label or ""), safe(row.guess)
            given = "true" if row.given else "false"
            writer.writerow((row.image_id, safe(row.name), label, guess, f"{row.confidence:.4f}", given))
            if buffer.tell() > 2**16:
                yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
