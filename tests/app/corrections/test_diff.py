"""Two clusterings of one collection beside each other."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from tests.app.calls import NOWHERE, problem
from tests.app.corrections.editing import Editor
from tests.fixtures.clusterings import Gallery, blobs


def another(editor: Editor, labels: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> Editor:
    return Editor(editor.client, editor.gallery, editor.gallery.cluster(labels))


def test_the_images_that_changed_page_by_page(editor: Editor) -> None:
    editor.edit("rename", cluster=0, label="wren")
    editor.edit("move", images=editor.images(20, 21), cluster=None)
    labels = np.repeat([3, 2, 1, 0], 10)
    labels[[0, 1, 2, 15]] = [2, 2, -1, 0]
    labels[[20, 21]] = [-1, 1]
    other = another(editor, labels)
    path = f"{editor.path}/diff/{other.id}"
    whole = editor.client.get(path).json()
    was, now = editor.numbers(), other.numbers()
    assert [one["image_id"] for one in whole["items"]] == editor.images(0, 1, 2, 15, 21)
    assert (whole["images"], whole["changed"], whole["next_cursor"]) == (40, 5, None)
    assert {int(a): b for a, b in whole["matches"].items()} == {n: now[10 * n + 5] for n in (0, 2, 3)} | {1: now[10]}
    codes = [[-1 if n is None else n for n in numbers] for numbers in (was, now)]
    assert whole["ari"] == pytest.approx(adjusted_rand_score(*codes))
    assert whole["nmi"] == pytest.approx(normalized_mutual_info_score(*codes))
    moved = {one["image_id"]: (one["before"], one["after"]) for one in whole["items"]}
    assert moved[editor.images(2)[0]] == ({"cluster": 0, "label": "wren"}, {"cluster": None, "label": None})
    assert moved[editor.images(21)[0]][0] == {"cluster": None, "label": None}
    first = editor.client.get(path, params={"limit": 3}).json()
    rest = editor.client.get(path, params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert first["items"] + rest["items"] == whole["items"] and first["changed"] == 5
    again = editor.client.get(f"{editor.path}/diff/{editor.id}").json()
    assert (again["changed"], again["items"], again["ari"]) == (0, [], 1.0)


def test_what_can_not_be_compared(editor: Editor) -> None:
    problem(editor.client.get(f"{editor.path}/diff/{NOWHERE}"), 404, "clustering_not_found")
    gallery = Gallery.make(editor.gallery.resources)
    vectors, truth = blobs(2, 5)
    gallery.add(vectors)
    elsewhere = gallery.cluster(truth)
    problem(editor.client.get(f"{editor.path}/diff/{elsewhere}"), 422, "not_comparable")
