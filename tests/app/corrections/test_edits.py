"""What each kind of edit does, on both databases."""

from typing import Any

import numpy as np
import pytest

from tests.app.calls import NOWHERE, problem
from tests.app.corrections.editing import Editor
from tests.fixtures.clusterings import blobs


def test_rename(editor: Editor) -> None:
    made = editor.edit("rename", cluster=2, label="  wren ", who="Ada")
    assert (made["kind"], made["who"], made["state"], made["revision"]) == ("rename", "Ada", "done", 2)
    assert made["params"] == {"cluster": 2, "label": "wren"} and made["images"] == 0
    assert [one["label"] for one in made["clusters"]] == ["wren"]
    assert editor.clusters()[2]["label"] == "wren" and editor.etag == '"2"'
    editor.edit("rename", cluster=2, label=None)
    assert editor.clusters()[2]["label"] is None
    editor.undo()
    assert editor.clusters()[2]["label"] == "wren"


def test_merge_hides_what_is_merged_and_undo_brings_it_back(editor: Editor) -> None:
    before = editor.everything()
    editor.edit("rename", cluster=3, label="wren")
    merged = editor.edit("merge", clusters=[1, 3])
    assert merged["images"] == 10 and set(editor.clusters()) == {0, 1, 2}
    one = editor.clusters()[1]
    assert (one["size"], one["label"]) == (20, "wren"), "the name is kept"
    assert editor.numbers()[10:] == [1] * 10 + [2] * 10 + [1] * 10
    gone = editor.client.get(f"{editor.path}/clusters/3").json()
    assert (gone["size"], gone["label"], gone["representatives"]) == (0, None, [])
    problem(editor.post("edits", {"kind": "rename", "cluster": 3, "label": "x"}), 404, "cluster_not_found")
    editor.undo()
    editor.undo()
    assert editor.everything() == before


def test_cohesion_of_a_merge_is_that_of_its_images(editor: Editor) -> None:
    before = editor.clusters()
    editor.edit("merge", clusters=[0, 1])
    assert editor.clusters()[0]["cohesion"] == pytest.approx((before[0]["cohesion"] + before[1]["cohesion"]) / 2)
    members = editor.client.get(f"{editor.path}/clusters/0/images").json()["items"]
    assert editor.clusters()[0]["representatives"][0] == members[0]["image_id"]
    assert [m["distance"] for m in members] == sorted(m["distance"] for m in members)


def test_split_into_parts(editor: Editor) -> None:
    editor.edit("merge", clusters=[0, 1, 2])
    editor.edit("rename", cluster=0, label="wren")
    made = editor.edit("split", cluster=0, into=3)
    assert [one["id"] for one in made["clusters"]] == [0, 4, 5], "numbers are never used again"
    assert [one["size"] for one in made["clusters"]] == [10, 10, 10]
    assert [one["label"] for one in made["clusters"]] == ["wren", None, None]
    numbers = editor.numbers()
    assert [len(set(numbers[start : start + 10])) for start in (0, 10, 20, 30)] == [1, 1, 1, 1]
    assert all(one["cohesion"] > 0.9 for one in made["clusters"])


def test_pinned_images_stay_when_their_cluster_is_split(editor: Editor) -> None:
    editor.edit("merge", clusters=[0, 1])
    editor.edit("pin", images=editor.images(0, 11, 12))
    editor.edit("split", cluster=0, into=2)
    numbers = editor.numbers()
    assert [numbers[place] for place in (0, 11, 12)] == [0, 0, 0]
    assert numbers[1:10] == [4] * 9 and numbers[13:20] == [0] * 7, "the part with most pinned images keeps the number"
    editor.edit("pin", images=editor.members(0))
    problem(editor.post("edits", {"kind": "split", "cluster": 0, "into": 2}), 409, "pinned")


def test_split_off_a_chosen_set(editor: Editor) -> None:
    chosen = editor.images(3, 4, 5)
    made = editor.edit("split", cluster=0, images=[*chosen, chosen[0]])
    assert [(one["id"], one["size"]) for one in made["clusters"]] == [(0, 7), (4, 3)]
    assert sorted(made["clusters"][1]["representatives"]) == sorted(chosen)
    problem(editor.post("edits", {"kind": "split", "cluster": 0, "images": chosen}), 422, "image_elsewhere")
    problem(editor.post("edits", {"kind": "split", "cluster": 4, "images": chosen}), 422, "split_empty")
    problem(editor.post("edits", {"kind": "split", "cluster": 4, "into": 4}), 422, "k_too_large")


def test_move_to_a_cluster_and_out_of_all(editor: Editor) -> None:
    before = editor.everything()
    made = editor.edit("move", images=editor.images(0, 10, 20), cluster=2)
    assert made["images"] == 2, "one was there"
    assert [(one["id"], one["size"]) for one in made["clusters"]] == [(0, 9), (1, 9), (2, 12)]
    editor.edit("move", images=editor.images(0, 1), cluster=None)
    assert [editor.numbers()[place] for place in (0, 1, 10)] == [None, None, 2]
    assert editor.clusters()[0]["size"] == 8
    exported = editor.client.get(f"{editor.path}/assignments?format=json").json()
    assert sum(row["cluster_id"] is None for row in exported) == 2
    editor.undo()
    editor.undo()
    assert editor.everything() == before


def test_distances_are_to_the_new_cluster(editor: Editor) -> None:
    centres = np.load(next((editor.gallery.resources.settings.data).rglob(f"{editor.id}.npy")))
    editor.edit("move", images=editor.images(0), cluster=3)
    members = editor.client.get(f"{editor.path}/clusters/3/images").json()["items"]
    (found,) = [m["distance"] for m in members if m["image_id"] == editor.images(0)[0]]
    assert found == pytest.approx(1 - float(editor.gallery.vectors[0] @ centres[3]), abs=1e-6)
    sizes = [1 - m["distance"] for m in members]
    assert editor.clusters()[3]["cohesion"] == pytest.approx(sum(sizes) / len(sizes))


def test_a_cluster_that_is_emptied_is_gone_until_undo(editor: Editor) -> None:
    editor.edit("move", images=editor.members(3), cluster=1)
    assert set(editor.clusters()) == {0, 1, 2}
    editor.undo()
    assert editor.clusters()[3]["size"] == 10


def test_not_this_one_goes_to_the_next_nearest(editor: Editor) -> None:
    centres = np.load(next((editor.gallery.resources.settings.data).rglob(f"{editor.id}.npy")))
    order = np.argsort(-(editor.gallery.vectors[0] @ centres.T)).tolist()
    assert order[0] == 0
    for n in range(3):
        editor.edit("exclude", images=editor.images(0), cluster=order[n])
        assert editor.numbers()[0] == order[n + 1]
    editor.edit("exclude", images=editor.images(0), cluster=order[3])
    assert editor.numbers()[0] is None, "there is no cluster left"
    editor.edit("move", images=editor.images(0), cluster=order[1])
    assert editor.numbers()[0] == order[1], "who moves an image says that it belongs there after all"


def test_excluding_what_is_elsewhere_is_remembered(editor: Editor) -> None:
    made = editor.edit("exclude", images=editor.images(0), cluster=2)
    assert made["images"] == 0 and editor.numbers()[0] == 0
    editor.edit("merge", clusters=[0, 2])
    assert editor.everything()["never"] == set(), "who merges the two says that it is one of them"
    editor.undo()
    assert len(editor.everything()["never"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "rename", "cluster": 99, "label": "x"}, 404, "cluster_not_found"),
        ({"kind": "rename", "cluster": 0}, 422, "invalid"),
        ({"kind": "rename", "cluster": 0, "label": " "}, 422, "invalid"),
        ({"kind": "rename", "cluster": True, "label": "x"}, 422, "invalid"),
        ({"kind": "merge", "clusters": [0]}, 422, "invalid"),
        ({"kind": "merge", "clusters": [0, 0]}, 422, "invalid"),
        ({"kind": "merge", "clusters": [0, 2**31]}, 422, "invalid"),
        ({"kind": "merge", "clusters": [0, 77]}, 404, "cluster_not_found"),
        ({"kind": "split", "cluster": 0}, 422, "invalid"),
        ({"kind": "split", "cluster": 0, "into": 2, "images": [NOWHERE]}, 422, "invalid"),
        ({"kind": "split", "cluster": 9, "into": 2}, 404, "cluster_not_found"),
        ({"kind": "split", "cluster": 0, "into": 11}, 422, "k_too_large"),
        ({"kind": "split", "cluster": 0, "images": [NOWHERE]}, 404, "image_not_found"),
        ({"kind": "move", "images": [NOWHERE], "cluster": 0}, 404, "image_not_found"),
        ({"kind": "move", "images": [], "cluster": 0}, 422, "invalid"),
        ({"kind": "move", "images": ["x"], "cluster": 0}, 422, "invalid"),
        ({"kind": "pin", "images": [NOWHERE]}, 404, "image_not_found"),
        ({"kind": "unpin", "images": [NOWHERE]}, 404, "image_not_found"),
        ({"kind": "exclude", "images": [NOWHERE], "cluster": 0}, 404, "image_not_found"),
        ({"kind": "bless", "cluster": 0}, 422, "invalid"),
        ({}, 422, "invalid"),
    ],
)
def test_what_is_no_edit(editor: Editor, body: dict[str, Any], status: int, code: str) -> None:
    before = editor.everything(), editor.etag
    problem(editor.post("edits", body), status, code)
    assert (editor.everything(), editor.etag) == before, "nothing of it is kept"
    assert editor.client.get(f"{editor.path}/edits").json()["items"] == []


def test_a_cluster_too_large_to_be_split_while_one_waits(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.corrections import splitting

    monkeypatch.setattr(splitting, "MOST_IMAGES", 9)
    problem(editor.post("edits", {"kind": "split", "cluster": 0, "into": 2}), 409, "cluster_too_large")


def test_pages_after_edits(editor: Editor) -> None:
    """Rows of clusters are what their images say, whatever was done."""
    vectors, _ = blobs(4, 10)
    editor.edit("merge", clusters=[2, 3])
    editor.edit("split", cluster=2, into=4)
    editor.edit("move", images=editor.images(1, 2, 30), cluster=1)
    numbers = editor.numbers()
    for number, one in editor.clusters().items():
        members = editor.client.get(f"{editor.path}/clusters/{number}/images?limit=500").json()["items"]
        assert one["size"] == len(members) == numbers.count(number)
        assert one["cohesion"] == pytest.approx(np.mean([1 - m["distance"] for m in members]))
        assert one["representatives"][0] == members[0]["image_id"]
    assert len(vectors) == sum(one["size"] for one in editor.clusters().values())
