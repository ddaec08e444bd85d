"""What tests of corrections do often: edit as a person would, and look at all of a clustering at once."""

from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from sqlalchemy import select

from app.corrections import facts
from app.db.tables import Assignment, Centre, Cluster
from tests.fixtures.clusterings import Gallery


class Editor:
    """One person at one clustering, who always has its newest ETag."""

    def __init__(self, client: TestClient, gallery: Gallery, clustering_id: UUID) -> None:
        self.client, self.gallery, self.id = client, gallery, clustering_id
        self.path = f"/v1/clusterings/{clustering_id}"

    @property
    def etag(self) -> str:
        return str(self.client.get(self.path).headers["ETag"])

    def post(self, rest: str, body: Any = None) -> Any:
        return self.client.post(f"{self.path}/{rest}", json=body, headers={"If-Match": self.etag})

    def edit(self, kind: str, **body: Any) -> dict[str, Any]:
        answer = self.post("edits", {"kind": kind, **body})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def undo(self) -> dict[str, Any]:
        return self._again("undo")

    def redo(self) -> dict[str, Any]:
        return self._again("redo")

    def _again(self, which: str) -> dict[str, Any]:
        answer = self.post(which)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def clusters(self) -> dict[int, dict[str, Any]]:
        return {one["id"]: one for one in self.client.get(f"{self.path}/clusters?limit=500").json()["items"]}

    def numbers(self) -> list[int | None]:
        """The cluster of each image of the gallery, in order of id; -1 for what is not in the clustering."""
        with self.gallery.resources.database.reading() as session:
            rows = session.execute(
                select(Assignment.image_id, Assignment.number).where(Assignment.clustering_id == self.id)
            )
            found = {image: number for image, number in rows}
        return [found.get(image, -1) for image in self.gallery.images]

    def images(self, *places: int) -> list[str]:
        return [str(self.gallery.images[place]) for place in places]

    def members(self, number: int) -> list[str]:
        return [str(i) for i, n in zip(self.gallery.images, self.numbers(), strict=True) if n == number]

    def by_cluster(self) -> dict[int, list[str]]:
        """The images of every cluster that has some."""
        found: dict[int, list[str]] = {}
        for image, number in zip(self.gallery.images, self.numbers(), strict=True):
            if number is not None:
                found.setdefault(number, []).append(str(image))
        return found

    def everything(self) -> dict[str, Any]:
        """All that corrections change, in a form that can be compared."""
        with self.gallery.resources.database.reading() as session:
            where = Assignment.clustering_id == self.id
            rows = session.scalars(select(Assignment).where(where).order_by(Assignment.image_id)).all()
            clusters = session.scalars(select(Cluster).where(Cluster.clustering_id == self.id, Cluster.size > 0))
            centres = session.scalars(select(Centre).where(Centre.clustering_id == self.id)).all()
            said = facts.in_force(session, self.id)
            return {
                "assignments": [(row.image_id, row.number, row.run_number, round(row.distance, 6)) for row in rows],
                "clusters": {
                    row.number: (
                        row.label,
                        row.group_id,
                        row.size,
                        round(row.cohesion, 6),
                        round(row.outlier_distance, 6),
                        row.representatives,
                    )
                    for row in clusters
                },
                "centres": {row.id: row.number for row in centres if row.number != _own(row)},
                "hard": said.hard,
                "never": said.never,
                "apart": said.apart,
            }


def _own(row: Centre) -> int | None:
    """The cluster that a centre stands for when no edit says otherwise."""
    return row.id if row.vector is None else None
