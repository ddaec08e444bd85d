"""What goes wrong with a store on the network, in Roost's own errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from app.errors import StorageFull, Unavailable

log = structlog.get_logger("roost.storage")
MISSING = ("404", "NoSuchKey", "NotFound")
TAKEN = ("412", "PreconditionFailed")
PAST_THE_END = ("416", "InvalidRange")
FULL = ("XMinioStorageFull", "QuotaExceeded", "InsufficientStorage", "StorageQuotaExceeded", "507")
REFUSED = ("401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")


def code_of(error: ClientError) -> str:
    """The store's own word for an error; the HTTP status where an answer has no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def store_errors(bucket: str, key: str) -> Iterator[None]:
    """FileNotFoundError, StorageFull or Unavailable for what botocore raises."""
    try:
        yield
    except ClientError as error:
        raise _refused(error, bucket, key) from error
    except NoCredentialsError as error:
        raise _unavailable(
            "There are no keys for the storage: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ) from error
    except BotoCoreError as error:  # no connection, a time limit, an answer cut short
        log.warning("the storage does not answer", bucket=bucket, key=key, error=str(error))
        raise _unavailable("The storage does not answer; try again, and see the log.") from error


def damaged(key: str, what: str) -> Unavailable:
    """A blob that is not what was stored under its key, however often it is fetched."""
    log.error("a blob is damaged", key=key, found=what)
    return Unavailable("A file in the storage is damaged; see the log.", code="storage_damaged")


def busy(key: str) -> Unavailable:
    log.warning("a key is being written by others all the time", key=key)
    return _unavailable("The storage is busy; try again.")


def _refused(error: ClientError, bucket: str, key: str) -> Exception:
    code = code_of(error)
    if code in MISSING:
        return FileNotFoundError(key)
    log.warning("the storage refused", bucket=bucket, key=key, error=str(error))
    if code in FULL or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 507:
        return StorageFull("The storage is full; free some space or add some, then try again.")
    if code == "NoSuchBucket":
        return _unavailable(f"The storage has no bucket {bucket!r}; create it, or change ROOST_STORAGE_URL.")
    if code in REFUSED:
        return _unavailable(
            f"The storage refuses the access to bucket {bucket!r}; check the AWS_ keys and their rights."
        )
    return _unavailable("The storage refused the request; try again, and see the log.")


def _unavailable(detail: str) -> Unavailable:
    return Unavailable(detail, code="storage_unavailable", headers={"Retry-After": "2"})
