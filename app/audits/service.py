"""Drawing images of a cluster at random, and what the answers about them say of all of it."""

import hashlib
import json
import random
from uuid import UUID

from sqlalchemy.orm import Session

from app import preconditions
from app.audits import repository
from app.audits.schemas import AuditImage, AuditOut, AuditPatch, PurityOut
from app.clusterings import repository as clusterings
from app.db.session import now
from app.db.tables import Audit
from app.errors import Conflict, Invalid
from app.ids import new_id
from app.images import repository as images
from models.evaluation.purity import LEVEL, purity


def draw(session: Session, clustering_id: UUID, number: int, wanted: int) -> Audit:
    """Images of the cluster without replacement, each equally likely; the audit's id is the seed."""
    clusterings.cluster(session, clustering_id, number)
    size = repository.size(session, clustering_id, number)
    if size == 0:
        raise Conflict(f"Cluster {number} is empty; there is nothing to draw.", code="cluster_empty")
    audit_id = new_id()
    places = random.Random(audit_id.int).sample(range(size), min(wanted, size))
    audit = Audit(
        id=audit_id,
        clustering_id=clustering_id,
        number=number,
        revision=clusterings.get(session, clustering_id).revision,
        size=size,
        images=[str(one) for one in repository.members_at(session, clustering_id, number, places)],
        answers={},
        created_at=now(session),
    )
    session.add(audit)
    session.flush()
    return audit


def etag(audit: Audit) -> str:
    """Of the answers: all else of an audit stays as it is."""
    return f'"{hashlib.sha256(json.dumps(audit.answers, sort_keys=True).encode()).hexdigest()[:16]}"'


def answer(session: Session, audit_id: UUID, patch: AuditPatch, if_match: str | None) -> Audit:
    audit = repository.get(session, audit_id, lock=True)
    preconditions.check(etag(audit), if_match, "The audit")
    given = {str(image_id): yes for image_id, yes in patch.answers.items()}
    if strange := sorted(given.keys() - set(audit.images)):
        raise Invalid(f"The image {strange[0]} is not one of this audit's.", code="image_not_in_audit")
    audit.answers = {image_id: yes for image_id, yes in (audit.answers | given).items() if yes is not None}
    session.flush()
    return audit


def shown(session: Session, audits: list[Audit]) -> list[AuditOut]:
    revisions = repository.revisions(session, audits)
    names = images.names(session, {UUID(one) for audit in audits for one in audit.images})
    return [_shown(audit, names, stale=revisions[audit.clustering_id] != audit.revision) for audit in audits]


def _shown(audit: Audit, names: dict[UUID, str], *, stale: bool) -> AuditOut:
    yes = sum(audit.answers.values())
    return AuditOut(
        id=audit.id,
        clustering_id=audit.clustering_id,
        cluster=audit.number,
        size=audit.size,
        revision=audit.revision,
        stale=stale,
        yes=yes,
        no=len(audit.answers) - yes,
        purity=_purity(yes, len(audit.answers), audit.size),
        images=[
            AuditImage(image_id=UUID(one), name=names.get(UUID(one)), answer=audit.answers.get(one))
            for one in audit.images
        ],
        created_at=audit.created_at,
    )


def _purity(yes: int, answered: int, size: int) -> PurityOut | None:
    if not answered:
        return None
    found = purity(yes, answered, size)
    return PurityOut(estimate=found.estimate, low=found.low, high=found.high, level=LEVEL)
