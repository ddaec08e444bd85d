"""A blob that a row names and the storage does not have."""

import structlog

from app.errors import NotFound

log = structlog.get_logger("roost.storage")


def missing(key: str) -> NotFound:
    """What to answer; an operator must hear of it."""
    log.error("a blob is missing", key=key)
    return NotFound(
        "The file is missing in the storage; delete the image, upload it again, and see the log.", code="file_missing"
    )
