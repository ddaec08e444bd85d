"""Groups of near-duplicates, and the search for them."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.collections import repository as collections_repository
from app.collections import service as collections_service
from app.db.tables import DuplicateScan, Job
from app.duplicates import repository
from app.duplicates.grouping import Member, of_scan
from app.duplicates.schemas import DuplicateOut, GroupOut, GroupsPage, Scan, SearchIn, Totals
from app.encoders import repository as encoders_repository
from app.errors import Conflict, NotFound
from app.jobs import ledger
from app.pagination import Page, Paging, cursor_after, sort_key
from app.settings import Settings

IMAGES = 50  # of a group that a page of groups shows


def request(session: Session, settings: Settings, collection_id: UUID, body: SearchIn, request_id: str | None) -> Job:
    """A job that decodes, embeds and hashes what is missing, and searches."""
    collections_repository.get(session, collection_id)
    encoder = encoders_repository.named(session, body.encoder, collection_id)
    return ledger.submit(
        session,
        "duplicates",
        collection_id=collection_id,
        params={"encoder": str(encoder.id)},
        request_id=request_id,
        lock=collections_service.lock(collection_id),
        queue=settings.embed_queue,
    )


def groups(session: Session, collection_id: UUID, similarity: float, paging: Paging) -> GroupsPage:
    """Groups, biggest first. The cursor is a number of groups: a scan does not change under it."""
    scan = _scan(session, collection_id)
    grouping = of_scan(session, scan.id, similarity / 100)
    start = (sort_key(paging, int) or [0])[0]
    numbers = range(start, min(start + paging.limit, len(grouping)))
    items = [_group(session, grouping.members(number)) for number in numbers]
    more = start + paging.limit < len(grouping)
    images = len(grouping.groups.members)
    return GroupsPage(
        items=[item for item in items if item],
        next_cursor=cursor_after(paging, [start + paging.limit]) if more else None,
        totals=Totals(groups=len(grouping), images=images, spare=images - len(grouping)),
        scan=Scan(images=scan.images, created_at=scan.created_at, complete=repository.complete(session, scan)),
    )


def group_of(
    session: Session, collection_id: UUID, image_id: UUID, similarity: float, paging: Paging
) -> Page[DuplicateOut]:
    """Every image of the group that this one is in, by id."""
    scan = _scan(session, collection_id)
    grouping = of_scan(session, scan.id, similarity / 100)
    number = grouping.of_image(image_id)
    if number is None:
        raise NotFound(
            f"The image {image_id} has no near-duplicate at {similarity:g}%; ask for a lower similarity.",
            code="no_duplicates",
        )
    after = sort_key(paging, UUID)
    rest = [member for member in grouping.members(number) if after is None or member.image_id > after[0]]
    part = rest[: paging.limit]
    cursor = cursor_after(paging, [part[-1].image_id]) if len(rest) > paging.limit else None
    known = repository.shown(session, [member.image_id for member in part])
    return Page(items=[_shown(member, known) for member in part if member.image_id in known], next_cursor=cursor)


def _scan(session: Session, collection_id: UUID) -> DuplicateScan:
    collections_repository.get(session, collection_id)
    if scan := repository.newest_scan(session, collection_id):
        return scan
    raise Conflict(
        "The collection has not been searched for near-duplicates yet; POST to this address starts that.",
        code="duplicates_not_searched",
    )


def _group(session: Session, members: list[Member]) -> GroupOut | None:
    """None when all but one of its images were deleted since."""
    known = repository.shown(session, [member.image_id for member in members])
    alive = [member for member in members if member.image_id in known]
    if len(alive) < 2:
        return None
    chief = max(alive, key=lambda member: (*known[member.image_id][1:], -member.image_id.int)).image_id
    alive.sort(key=lambda member: (member.image_id != chief, -member.similarity, member.image_id))
    return GroupOut(representative=chief, size=len(alive), images=[_shown(member, known) for member in alive[:IMAGES]])


def _shown(member: Member, known: dict[UUID, repository.Shown]) -> DuplicateOut:
    return DuplicateOut(
        image_id=member.image_id,
        name=known[member.image_id].name,
        similarity=round(100 * member.similarity, 1),
        kind=member.kind,
    )
