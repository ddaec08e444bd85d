"""What is true after all that was said: which image belongs to which group, or does not, in the order it was said.

A later statement of the same image takes the place of an earlier one. A merge makes one group of several, a split
several of one; what was said of the old holds for the new. An edit that was undone was never said.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import Edit, GroupImage
from app.images.repository import PARAMETERS


class Statement(NamedTuple):
    image_id: UUID
    group_id: UUID
    belongs: bool | None


@dataclass
class Facts:
    """hard: image -> its group; never: (image, group); apart: pairs of groups that were split from each other."""

    hard: dict[UUID, UUID] = field(default_factory=dict)
    never: set[tuple[UUID, UUID]] = field(default_factory=set)
    apart: set[frozenset[UUID]] = field(default_factory=set)

    def exclusions(self) -> dict[UUID, set[UUID]]:
        """Image -> the groups that it does not belong to."""
        found: dict[UUID, set[UUID]] = {}
        for image_id, group_id in self.never:
            found.setdefault(image_id, set()).add(group_id)
        return found

    def hear(self, effect: dict[str, Any], statements: Iterable[Statement]) -> None:
        """The next edit: first what it did to groups, then what it says of images."""
        became = {UUID(old): UUID(new) for old, new in effect.get("groups", {}).items()}
        self._join(became)
        for parts in effect.get("apart", []):
            self._divide([UUID(part) for part in parts])
        self.apart |= {frozenset(map(UUID, pair)) for pair in effect.get("pairs", [])}
        for image_id, said_of, belongs in statements:
            group_id = became.get(said_of, said_of)
            self.never.discard((image_id, group_id))
            if belongs:
                self.hard[image_id] = group_id
            elif self.hard.get(image_id) == group_id:
                del self.hard[image_id]
            if belongs is False:
                self.never.add((image_id, group_id))

    def _join(self, became: dict[UUID, UUID]) -> None:
        if not became:
            return
        self.hard = {image: became.get(group, group) for image, group in self.hard.items()}
        self.never = {(image, became.get(group, group)) for image, group in self.never} - self.hard.items()
        renamed = ({became.get(group, group) for group in pair} for pair in self.apart)
        self.apart = {frozenset(pair) for pair in renamed if len(pair) == 2}

    def _divide(self, parts: list[UUID]) -> None:
        """The first part is the group that was divided; the others keep away from what it keeps away from."""
        whole, *rest = parts
        away = [group for pair in self.apart if whole in pair for group in pair - {whole}]
        self.never |= {(image, part) for image, group in self.never if group == whole for part in rest}
        self.apart |= {frozenset((part, other)) for part in rest for other in away if part != other}
        self.apart |= {frozenset(pair) for pair in combinations(parts, 2)}


def in_force(session: Session, clustering_id: UUID, images: list[UUID] | None = None) -> Facts:
    """What holds in a clustering now, of all images or of these."""
    done = select(Edit.id, Edit.effect).where(Edit.clustering_id == clustering_id, Edit.state == "done")
    said: dict[UUID, list[Statement]] = {}
    for edit_id, statement in _statements(session, clustering_id, images):
        said.setdefault(edit_id, []).append(statement)
    facts = Facts()
    for edit_id, effect in session.execute(done.order_by(Edit.revision)):
        facts.hear(effect, said.get(edit_id, []))
    return facts


def _statements(session: Session, clustering_id: UUID, images: list[UUID] | None) -> Iterator[tuple[UUID, Statement]]:
    query = (
        select(GroupImage.edit_id, GroupImage.image_id, GroupImage.group_id, GroupImage.belongs)
        .join(Edit, Edit.id == GroupImage.edit_id)
        .where(Edit.clustering_id == clustering_id, Edit.state == "done")
    )
    parts = [query]
    if images is not None:
        starts = range(0, len(images), PARAMETERS)
        parts = [query.where(GroupImage.image_id.in_(images[start : start + PARAMETERS])) for start in starts]
    for part in parts:
        for edit_id, image_id, group_id, belongs in session.execute(part):
            yield edit_id, Statement(image_id, group_id, belongs)
