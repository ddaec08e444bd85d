"""Corrections of a clustering: one after the other, each whole or not at all, undone and done again in that order.

done <--redo-- undone --another edit--> dropped
 +-----undo---->
"""

from uuid import UUID

from sqlalchemy.orm import Session

from app import preconditions
from app.clusterings import repository as clusterings
from app.clusterings import service as clusterings_service
from app.corrections import kinds, repository, shape
from app.corrections.schemas import AnyEdit, EditedOut, EditOut, SplitIn
from app.corrections.splitting import Proposal, propose
from app.corrections.work import Work, restore, set_centre
from app.db.session import now
from app.db.tables import Cluster, Clustering, Edit
from app.errors import Conflict, PreconditionFailed
from app.storage import Storage


def prepare(
    session: Session, storage: Storage, clustering_id: UUID, body: AnyEdit, if_match: str | None
) -> Proposal | None:
    """What an edit needs that takes too long for a transaction: the parts of a cluster."""
    if not isinstance(body, SplitIn) or body.into is None:
        return None
    clustering = clusterings.get(session, clustering_id)
    check(clustering, if_match)
    return propose(session, storage, clustering, body.cluster, body.into)


def edit(
    session: Session,
    storage: Storage,
    clustering_id: UUID,
    body: AnyEdit,
    if_match: str | None,
    proposal: Proposal | None,
) -> EditedOut:
    clustering = _claim(session, clustering_id, if_match)
    repository.drop_undone(session, clustering_id)
    made = Edit(
        clustering_id=clustering_id,
        revision=clustering.revision,
        kind=body.kind,
        params=body.model_dump(mode="json", exclude={"kind", "who"}),
        effect={},
        who=body.who,
        created_at=now(session),
    )
    session.add(made)
    session.flush()
    work = Work(session, storage, clustering, made)
    kinds.apply(work, body, proposal)
    work.settle()
    return _edited(session, clustering, made)


def undo(session: Session, storage: Storage, clustering_id: UUID, if_match: str | None) -> EditedOut:
    """Take back the last edit that is not taken back yet."""
    clustering = _claim(session, clustering_id, if_match)
    last = repository.last_done(session, clustering_id)
    if last is None:
        raise Conflict("There is no edit to undo.", code="nothing_to_undo")
    if created := last.effect.get("created"):  # images may have joined them since
        repository.note_all_in(session, last, created["numbers"], before=created["whole"], after=None)
    last.state = "undone"
    _replay(session, storage, clustering, last, forward=False)
    return _edited(session, clustering, last)


def redo(session: Session, storage: Storage, clustering_id: UUID, if_match: str | None) -> EditedOut:
    """Do again what was undone last."""
    clustering = _claim(session, clustering_id, if_match)
    first = repository.first_undone(session, clustering_id)
    if first is None:
        raise Conflict("There is no edit to redo.", code="nothing_to_redo")
    if absorbed := first.effect.get("absorbed"):
        repository.note_all_in(session, first, absorbed["numbers"], before=None, after=absorbed["into"])
    first.state = "done"
    _replay(session, storage, clustering, first, forward=True)
    return _edited(session, clustering, first)


def _replay(session: Session, storage: Storage, clustering: Clustering, edit: Edit, *, forward: bool) -> None:
    repository.replay(session, edit, forward=forward)
    for row in _changed(session, edit):
        restore(row, edit.effect["clusters"][str(row.number)]["after" if forward else "before"])
    for one, numbers in edit.effect["centres"].items():
        set_centre(session, clustering.id, int(one), numbers[forward])
    moved = repository.clusters(session, clustering.id, repository.touched(session, edit.id))
    shape.refresh(session, storage, repository.set_of(session, clustering), moved)


def _changed(session: Session, edit: Edit) -> list[Cluster]:
    return repository.clusters(session, edit.clustering_id, map(int, edit.effect.get("clusters", {})))


def _claim(session: Session, clustering_id: UUID, if_match: str | None) -> Clustering:
    clustering = repository.lock(session, clustering_id)
    check(clustering, if_match)
    if not repository.raise_revision(session, clustering):
        raise PreconditionFailed("The clustering has changed since; GET it again and repeat the edit.")
    return clustering


def check(clustering: Clustering, if_match: str | None) -> None:
    """Refuse an edit that was made without having seen the newest state."""
    preconditions.check(clusterings_service.etag(clustering.revision), if_match, "The clustering")


def shown(session: Session, edits: list[Edit]) -> list[EditOut]:
    moved = repository.moved(session, edits)
    return [EditOut(**_fields(row, moved.get(row.id, 0))) for row in edits]


def _edited(session: Session, clustering: Clustering, edit: Edit) -> EditedOut:
    moved = repository.moved(session, [edit])
    return EditedOut(
        **_fields(edit, moved.get(edit.id, 0)),
        clustering_revision=clustering.revision,
        clusters=[clusterings_service.shown_cluster(row) for row in _changed(session, edit)],
    )


def _fields(row: Edit, images: int) -> dict[str, object]:
    names = EditOut.model_fields.keys() - {"images"}
    return {name: getattr(row, name) for name in names} | {"images": images}
