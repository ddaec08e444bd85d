"""What may be done with owners' quotas."""

from hashlib import sha256
from uuid import UUID

from sqlalchemy.orm import Session

from app import preconditions
from app.access import quotas
from app.db.tables import Owner
from app.owners import repository
from app.owners.schemas import OwnerOut, OwnerPatch, QuotaOut, Use


def etag(owner: Owner) -> str:
    """Of what people edit; what is used changes all the time, and must not make an edit stale."""
    edited = f"{owner.quota_bytes} {owner.quota_images} {owner.quota_jobs}"
    return f'"{sha256(edited.encode()).hexdigest()[:16]}"'


def change(session: Session, owner_id: UUID, patch: OwnerPatch, if_match: str | None) -> Owner:
    """PreconditionRequired, PreconditionFailed (stale)"""
    owner = repository.get(session, owner_id, lock=True)
    preconditions.check(etag(owner), if_match, "The quota")
    return edit(owner, patch)


def edit(owner: Owner, patch: OwnerPatch) -> Owner:
    """A quota below what is used takes nothing away: only nothing more is taken."""
    for name in patch.model_fields_set:
        setattr(owner, f"quota_{name}", getattr(patch, name))
    return owner


def shown(session: Session, owners: list[Owner]) -> list[OwnerOut]:
    jobs = quotas.unfinished_jobs(session, [owner.id for owner in owners])
    return [
        OwnerOut(id=one.id, name=one.name, created_at=one.created_at, **dict(_quota(one, jobs.get(one.id, 0))))
        for one in owners
    ]


def quota(session: Session, owner_id: UUID) -> QuotaOut:
    """What this owner may have and has."""
    found = repository.get(session, owner_id)
    return _quota(found, quotas.unfinished_jobs(session, [owner_id]).get(owner_id, 0))


def _quota(owner: Owner, jobs: int) -> QuotaOut:
    return QuotaOut(
        bytes=Use(used=owner.used_bytes, limit=owner.quota_bytes),
        images=Use(used=owner.used_images, limit=owner.quota_images),
        jobs=Use(used=jobs, limit=owner.quota_jobs),
    )
