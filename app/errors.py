"""The tree of errors. Each class carries its HTTP status and its stable code; app/problems.py answers with them.

RoostError
├── Malformed              400  checksum_unsupported: what a protocol wants to be told so
├── Unauthorized           401  key_required, key_invalid
├── Forbidden              403  import_disabled, scope_too_small, origin_refused
├── NotFound               404  collection_not_found, image_not_found, job_not_found, ...
├── Invalid                422  what the caller sent can't be used
├── TooLarge               413  file_too_large, archive_limit, quota_exceeded
├── UnsupportedType        415  image_type_unsupported, content_type_unsupported
├── Conflict               409  not now: report_not_ready, not_embedded, ...
├── PreconditionRequired   428  precondition_required
├── PreconditionFailed     412  stale
├── Misdirected            421  host_refused
├── RangeNotSatisfiable    416  range_not_satisfiable
├── TooMany                429  rate_limited, too_many_jobs
├── ChecksumMismatch       460  checksum_mismatch
├── StorageFull            507  storage_full
└── Unavailable            503  database_busy, storage_unavailable, storage_damaged, cache_full, ...
"""

from collections.abc import Iterator
from contextlib import contextmanager

from models.disk import no_space

CHECKSUM_MISMATCH = 460  # tus.io's own status, which no registry knows
OUTAGES = frozenset({"storage_full", "storage_unavailable", "cache_full"})  # they end, and all goes on


class RoostError(Exception):
    """Base of all. `code` is stable and for programs, `detail` is a sentence for people that says what to do."""

    status = 500
    code = "internal"

    def __init__(self, detail: str, *, code: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.headers = headers or {}


class Malformed(RoostError):
    status, code = 400, "malformed"


class Unauthorized(RoostError):
    status, code = 401, "key_required"


class Forbidden(RoostError):
    status, code = 403, "forbidden"


class NotFound(RoostError):
    status, code = 404, "not_found"


class Invalid(RoostError):
    status, code = 422, "invalid"


class TooLarge(RoostError):
    status, code = 413, "file_too_large"


class UnsupportedType(RoostError):
    status, code = 415, "content_type_unsupported"


class Conflict(RoostError):
    status, code = 409, "conflict"


class PreconditionRequired(RoostError):
    status, code = 428, "precondition_required"


class PreconditionFailed(RoostError):
    status, code = 412, "stale"


class Misdirected(RoostError):
    status, code = 421, "host_refused"


class RangeNotSatisfiable(RoostError):
    status, code = 416, "range_not_satisfiable"


class ChecksumMismatch(RoostError):
    status, code = CHECKSUM_MISMATCH, "checksum_mismatch"


class TooMany(RoostError):
    status, code = 429, "rate_limited"


class StorageFull(RoostError):
    status, code = 507, "storage_full"


class Unavailable(RoostError):
    status, code = 503, "unavailable"


@contextmanager
def full_disk_named() -> Iterator[None]:
    """The operating system's word for a full disk becomes StorageFull; its other errors stay what they are."""
    try:
        yield
    except OSError as error:
        if no_space(error):
            raise StorageFull("The disk is full; free some space or add some, then try again.") from error
        raise
