"""Identifiers: UUID version 7, so that sorting by id is sorting by time of creation."""

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    return UUID(bytes=uuid_utils.uuid7().bytes)
