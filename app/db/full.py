"""A database whose disk is full, by what its driver says."""

import sqlite3

from sqlalchemy.exc import SQLAlchemyError

POSTGRES_DISK_FULL = "53100"
# What SQLite calls an I/O error where it is told of a full disk by anything but a write.
SQLITE_NO_ROOM = (
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
)


def database_full(error: SQLAlchemyError) -> bool:
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorcode", 0)
    full = code & 0xFF == sqlite3.SQLITE_FULL or code in SQLITE_NO_ROOM
    return full or getattr(cause, "sqlstate", None) == POSTGRES_DISK_FULL
