"""Who may do what, how much of it, and who did what."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.caller import LOCAL, Scope
from app.db.tables.base import Table, cascade
from app.ids import new_id

LOCAL_DEFAULT = f"'{LOCAL.hex}'"  # for rows older than owners


class Owner(Table):
    """Whose collections these are. A null quota is no limit; what is used changes with the rows it counts."""

    __tablename__ = "owners"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    quota_bytes: Mapped[int | None] = mapped_column(BigInteger)
    quota_images: Mapped[int | None]
    quota_jobs: Mapped[int | None]  # that wait or run at the same time
    used_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    used_images: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


class ApiKey(Table):
    """A key of 256 random bits; only its hash is kept."""

    __tablename__ = "api_keys"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[UUID] = mapped_column(cascade("owners.id"), index=True)
    name: Mapped[str]
    scope: Mapped[Scope] = mapped_column(String(5))  # read, write or admin; each includes those before it
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class LogIn(Table):
    """A browser that showed a key; it holds a token of its own, which ends with the key."""

    __tablename__ = "log_ins"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    key_id: Mapped[UUID] = mapped_column(cascade("api_keys.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AuditRecord(Table):
    """One change that somebody made or tried to make. Immutable."""

    __tablename__ = "audit_records"
    __table_args__ = (Index("ix_audit_records_owner", "owner_id", "id"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime]
    owner_id: Mapped[UUID | None]
    key_id: Mapped[UUID | None]
    action: Mapped[str]  # the operation's id in the OpenAPI text, or the command
    path: Mapped[str]
    status: Mapped[int]
    request_id: Mapped[str | None]
    address: Mapped[str | None]
