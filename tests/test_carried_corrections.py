"""Corrections outlive the run: fifty edits, then other algorithms, other seeds and a fifth more images."""

from collections.abc import Iterator
from itertools import product
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.corrections import facts, repository
from app.corrections.facts import Facts
from app.db.tables import Cluster, Encoder
from tests.app.conftest import shared_api  # noqa: F401 - a fixture
from tests.app.corrections.editing import Editor
from tests.app.corrections.test_history import random_edit
from tests.fixtures.clusterings import ENCODER, Gallery, blobs
from tests.fixtures.jobs import run_job

EDITS = 50
KINDS, OF_A_KIND, LATER = 8, 20, 4


def a_gallery(client: TestClient, seed: int) -> tuple[Gallery, Iterator[Any]]:
    """A gallery of kinds that overlap, and images that come later."""
    gallery = Gallery.make(client.app.state.resources)  # type: ignore[attr-defined]
    vectors, _ = blobs(KINDS, OF_A_KIND + LATER, seed=seed, spread=0.3)
    by_kind = vectors.reshape(KINDS, OF_A_KIND + LATER, -1)
    gallery.add(by_kind[:, :OF_A_KIND].reshape(KINDS * OF_A_KIND, -1))
    return gallery, iter([by_kind[:, OF_A_KIND:].reshape(KINDS * LATER, -1)])


def clustered(gallery: Gallery, client: TestClient, algorithm: str, k: int, seed: int) -> Editor:
    with gallery.resources.database.reading() as session:
        encoder_id = session.scalars(select(Encoder.id).where(Encoder.name == ENCODER)).one()
    result = run_job(
        gallery.resources, "cluster", gallery.collection_id,
        encoder=str(encoder_id), algorithm=algorithm, k=k, seed=seed, params={},
    )  # fmt: skip
    return Editor(client, gallery, UUID(result["clustering_id"]))


def correct(editor: Editor, rng: np.random.Generator) -> None:
    """Fifty edits and a few undone, as a person goes. The last one the next run would surely undo."""
    done = 1
    while done < EDITS:
        answer = editor.post("edits", random_edit(editor, editor.by_cluster(), rng))
        if answer.status_code == 409:  # too many pinned images to split this one
            continue
        assert answer.status_code == 201, answer.text
        done += 1
        if rng.random() < 0.1:
            editor.undo()
            done -= 1
    number = max(editor.clusters(), key=lambda one: editor.clusters()[one]["size"])
    editor.edit("exclude", images=editor.clusters()[number]["representatives"][:4], cluster=number)
    for kind in ("merge", "split", "pin", "move", "exclude", "rename"):
        assert kind in {one["kind"] for one in editor.client.get(f"{editor.path}/edits?limit=500").json()["items"]}


class Seen:
    """What a clustering looks like to those who corrected it."""

    def __init__(self, editor: Editor) -> None:
        with editor.gallery.resources.database.reading() as session:
            self.facts: Facts = facts.in_force(session, editor.id)
            self.outside = repository.outside(session, editor.gallery.collection_id)
            rows = session.scalars(select(Cluster).where(Cluster.clustering_id == editor.id, Cluster.size > 0)).all()
        self.number = {row.group_id: row.number for row in rows if row.group_id}
        self.name = {row.group_id: row.label for row in rows if row.group_id}
        assert len(self.number) == sum(row.group_id is not None for row in rows), "a group is one cluster"
        self.place = dict(zip(editor.gallery.images, editor.numbers(), strict=True))
        self.members = {
            group: {image for image, number in self.place.items() if number == own}
            for group, own in self.number.items()
        }


def check_all_holds(before: Seen, after: Seen) -> None:
    assert before.facts.hard and before.facts.never and before.facts.apart and any(before.name.values())
    for image, group in before.facts.hard.items():
        expected = None if group == before.outside else after.number[group]
        assert after.place[image] == expected, "what was pinned or moved is where it was put"
    assert after.name == before.name, "every name is on the cluster that it was given to"
    for image, group in before.facts.never:
        if group in after.number:
            assert after.place[image] != after.number[group]
    said_of = set(before.facts.hard) | {image for image, _ in before.facts.never}
    for one, other in map(tuple, before.facts.apart):
        if {one, other} <= before.number.keys():
            pairs = product(before.members[one] - said_of, before.members[other] - said_of)
            assert all(after.place[a] is None or after.place[a] != after.place[b] for a, b in pairs)
    assert after.facts.hard == before.facts.hard
    assert {pair for pair in after.facts.never if pair[1] in before.number} == {
        pair for pair in before.facts.never if pair[1] in before.number
    }


def test_fifty_edits_hold_in_the_next_runs(shared_api: TestClient) -> None:  # noqa: F811
    gallery, later = a_gallery(shared_api, 0)
    first = clustered(gallery, shared_api, "kmeans", KINDS, 0)
    correct(first, np.random.default_rng(0))
    before = Seen(first)

    other_seed = clustered(gallery, shared_api, "kmeans", 5, 3)
    check_all_holds(before, Seen(other_seed))
    check_history(other_seed, first, before)
    gallery.add(next(later))
    other_algorithm = clustered(gallery, shared_api, "agglomerative", 11, 1)
    after = Seen(other_algorithm)
    check_all_holds(before, after)
    assert all(number != -1 for number in after.place.values()), "the new images are in it too"
    check_history(other_algorithm, other_seed, before)
    check_rows(other_algorithm)
    check_diff(first, other_algorithm)


def check_history(editor: Editor, parent: Editor, before: Seen) -> None:
    (entry,) = editor.client.get(f"{editor.path}/edits").json()["items"]
    assert (entry["kind"], entry["revision"], entry["params"]["from"]) == ("carried", 1, str(parent.id))
    assert entry["params"]["clusters"] == len(before.number)
    assert entry["params"]["names"] == sum(name is not None for name in before.name.values())
    assert editor.post("undo").status_code == 409, "what holds for all runs is not undone in one"


def check_rows(editor: Editor) -> None:
    numbers = editor.numbers()
    for number, one in editor.clusters().items():
        members = editor.client.get(f"{editor.path}/clusters/{number}/images?limit=500").json()["items"]
        assert one["size"] == len(members) == numbers.count(number)
        assert one["cohesion"] == pytest.approx(np.mean([1 - m["distance"] for m in members]))
        assert one["representatives"][0] == members[0]["image_id"]


def check_diff(before: Editor, after: Editor) -> None:
    path = f"{before.path}/diff/{after.id}"
    shown = before.client.get(path, params={"limit": 500}).json()
    was, now = before.numbers(), after.numbers()
    both = [(a, b) for a, b in zip(was, now, strict=True) if a != -1]
    matches = {int(a): b for a, b in shown["matches"].items()}
    assert shown["images"] == len(both) == KINDS * OF_A_KIND
    assert shown["changed"] == len(shown["items"]) == sum(b != (None if a is None else matches.get(a)) for a, b in both)
    place = dict(zip(map(str, before.gallery.images), zip(was, now, strict=True), strict=True))
    for one in shown["items"]:
        assert (one["before"]["cluster"], one["after"]["cluster"]) == place[one["image_id"]]


def test_a_merge_and_a_split_hold_where_the_next_run_finds_the_old_clusters(shared_api: TestClient) -> None:  # noqa: F811
    gallery = Gallery.make(shared_api.app.state.resources)  # type: ignore[attr-defined]
    gallery.add(blobs(4, 12, seed=5, spread=0.1)[0])
    first = clustered(gallery, shared_api, "kmeans", 4, 0)
    first.edit("merge", clusters=[3, 1])
    first.edit("rename", cluster=3, label="wren")
    first.edit("split", cluster=2, into=2)
    excluded = first.members(0)[:2]
    first.edit("exclude", images=excluded, cluster=0)
    second = clustered(gallery, shared_api, "kmeans", 4, 9)
    assert sorted(second.by_cluster().values()) == sorted(first.by_cluster().values())
    assert second.members(next(n for n, one in second.clusters().items() if one["label"] == "wren")) == first.members(3)
    shown = first.client.get(f"{first.path}/diff/{second.id}").json()
    assert (shown["changed"], shown["ari"], shown["items"]) == (0, 1.0, [])


def test_a_run_before_the_first_edit_carries_nothing(shared_api: TestClient) -> None:  # noqa: F811
    gallery, _ = a_gallery(shared_api, 2)
    clustered(gallery, shared_api, "kmeans", 4, 0)
    second = clustered(gallery, shared_api, "kmeans", 4, 0)
    assert second.client.get(f"{second.path}/edits").json()["items"] == []
    assert set(second.clusters()) == {0, 1, 2, 3}


def test_edits_of_a_carried_run_go_on_from_it(shared_api: TestClient) -> None:  # noqa: F811
    gallery, _ = a_gallery(shared_api, 3)
    first = clustered(gallery, shared_api, "kmeans", 6, 0)
    first.edit("rename", cluster=0, label="wren")
    first.edit("pin", images=first.members(0)[:3])
    second = clustered(gallery, shared_api, "kmeans", 4, 1)
    (named,) = [number for number, one in second.clusters().items() if one["label"] == "wren"]
    second.edit("rename", cluster=named, label="robin")
    second.edit("unpin", images=first.members(0)[:2])
    third = clustered(gallery, shared_api, "kmeans", 6, 2)
    assert [one["label"] for one in third.clusters().values() if one["label"]] == ["robin"]
    assert len(Seen(third).facts.hard) == 1


def test_images_that_come_later_join_where_edits_say(shared_api: TestClient) -> None:  # noqa: F811
    """Near a cluster that was merged they go where that went, and to none that is gone."""
    gallery, _ = a_gallery(shared_api, 4)
    vectors, truth = blobs(4, 10, seed=9, spread=0.1)
    gallery.images, gallery.vectors = [], []
    gallery = Gallery.make(gallery.resources)
    gallery.add(vectors)
    editor = Editor(shared_api, gallery, gallery.cluster(truth))
    editor.edit("merge", clusters=[2, 0])
    editor.edit("split", cluster=2, into=2)
    editor.edit("merge", clusters=[1, 3])
    editor.edit("move", images=editor.members(2), cluster=1)
    there = editor.by_cluster()
    late = gallery.add(vectors)
    result = run_job(gallery.resources, "assign", gallery.collection_id, clustering=str(editor.id))
    assert result["assigned"] == 40
    numbers = dict(zip(gallery.images, editor.numbers(), strict=True))
    assert set(numbers.values()) == set(there) == {1, 4}
    for twin, image in zip(gallery.images, late, strict=False):
        if str(twin) in there[4]:
            assert numbers[image] == 4
    assert [numbers[late[place]] for place in range(10, 20)] == [1] * 10
    assert [numbers[late[place]] for place in range(30, 40)] == [1] * 10
    assert sum(one["size"] for one in editor.clusters().values()) == 80
    editor.undo()
    editor.undo()
    editor.undo()
    assert set(editor.clusters()) == {1, 2, 3}, "those that joined part of a split go back into the whole"
    assert sum(one["size"] for one in editor.clusters().values()) == 80
