"""A propagation's labels as CSV, streamed row by row from the database."""

from collections.abc import Iterator
from uuid import UUID

from app.db.session import Database
from app.labels import repository
from app.spreadsheet import lines

COLUMNS = ("image_id", "name", "label", "guess", "confidence", "given")


def as_csv(database: Database, propagation_id: UUID) -> Iterator[bytes]:
    """An unknown image's label is empty."""
    with database.reading() as session:
        yield from lines(
            COLUMNS,
            (
                (
                    row.image_id,
                    row.name,
                    row.label,
                    row.guess,
                    f"{row.confidence:.4f}",
                    "true" if row.given else "false",
                )
                for row in repository.rows(session, propagation_id)
            ),
        )
