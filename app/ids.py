"""Identifiers: UUID version 7, so that sorting by id is sorting by time of creation."""

import hashlib
from datetime import datetime
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    return UUID(bytes=uuid_utils.uuid7().bytes)


def first_id(moment: datetime) -> UUID:
    """No id of this time or later is smaller: what is sorted by id is found by time without another index."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def member_id(job_id: UUID, member: int) -> UUID:
    """The id of an archive's n-th file: the same whenever the job is repeated, and sorted as in the archive.

    A version 7 UUID (RFC 9562, 5.7) with the job's time; in place of chance the number and a hash of the job's id.
    """
    chance = (member & 0xFFFFFFFF) << 42 | int.from_bytes(hashlib.sha256(job_id.bytes).digest()) >> (256 - 42)
    return UUID(int=(job_id.int >> 80) << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & (1 << 62) - 1)
