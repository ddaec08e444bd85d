"""Undo, redo and the history: whatever is done, the clustering is what the edits that are done make of it."""

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.app.calls import NOWHERE, problem
from tests.app.corrections.editing import Editor
from tests.fixtures.clusterings import Gallery, blobs

STEPS = 36


def test_the_history_newest_first(editor: Editor) -> None:
    made = [editor.edit("rename", cluster=n, label=f"bird {n}", who="Ada") for n in range(4)]
    editor.undo()
    first = editor.client.get(f"{editor.path}/edits?limit=3").json()
    rest = editor.client.get(f"{editor.path}/edits?limit=3&cursor={first['next_cursor']}").json()
    shown = first["items"] + rest["items"]
    assert [one["id"] for one in shown] == [one["id"] for one in reversed(made)]
    assert [one["state"] for one in shown] == ["undone", "done", "done", "done"]
    assert shown[1] == {key: value for key, value in made[2].items() if key in shown[1]}
    assert editor.client.get(f"{editor.path}/edits/{made[0]['id']}").json() == shown[3]
    problem(editor.client.get(f"{editor.path}/edits/{NOWHERE}"), 404, "edit_not_found")


def test_another_edit_drops_what_was_undone(editor: Editor) -> None:
    for n in range(3):
        editor.edit("rename", cluster=n, label="x")
    editor.undo()
    editor.undo()
    assert editor.redo()["params"]["cluster"] == 1, "the one undone last comes first"
    editor.edit("rename", cluster=3, label="x")
    problem(editor.post("redo"), 409, "nothing_to_redo")
    states = [one["state"] for one in editor.client.get(f"{editor.path}/edits").json()["items"]]
    assert states == ["done", "dropped", "done", "done"]
    for _ in range(3):
        editor.undo()
    problem(editor.post("undo"), 409, "nothing_to_undo")
    assert editor.etag == '"11"', "what is refused changes nothing"


@pytest.mark.parametrize("rest", ["edits", "undo", "redo"])
def test_if_match(editor: Editor, rest: str) -> None:
    path, body = f"{editor.path}/{rest}", {"kind": "rename", "cluster": 0, "label": "x"}
    for label in ("a", "b", "c", "d"):
        editor.edit("rename", cluster=1, label=label)
    editor.undo()
    problem(editor.client.post(path, json=body), 428, "precondition_required")
    for stale in ('"1"', '"3", "2"', "4", "", "x"):
        problem(editor.client.post(path, json=body, headers={"If-Match": stale}), 412, "stale")
    for right in (f'"1", {editor.etag}', "*"):
        answer = editor.client.post(path, json=body, headers={"If-Match": right})
        assert answer.status_code in (200, 201), answer.text
        assert answer.headers["ETag"] == editor.etag == f'"{answer.json()["clustering_revision"]}"'
        editor.edit("rename", cluster=1, label="e")
        editor.undo()
    missing = editor.client.post(f"/v1/clusterings/{NOWHERE}/{rest}", json=body, headers={"If-Match": "*"})
    problem(missing, 404, "clustering_not_found")


def test_an_edit_sent_twice_is_one_edit(editor: Editor) -> None:
    body = {"kind": "split", "cluster": 0, "into": 2}
    headers = {"If-Match": editor.etag, "Idempotency-Key": str(editor.id)}
    answers = [editor.client.post(f"{editor.path}/edits", json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json() and answers[1].headers["ETag"] == '"2"'
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert answers[0].headers["Location"] == f"{editor.path}/edits/{answers[0].json()['id']}"
    assert len(editor.client.get(f"{editor.path}/edits").json()["items"]) == 1


def random_edit(editor: Editor, there: dict[int, list[str]], rng: np.random.Generator) -> dict[str, Any]:
    """Something that a person could do now."""
    numbers = sorted(there)
    some = editor.images(*rng.choice(len(editor.gallery.images), 3, replace=False).tolist())
    cluster = int(rng.choice(numbers))
    kinds: dict[str, dict[str, Any]] = {
        "rename": {"cluster": cluster, "label": f"bird {rng.integers(5)}"},
        "move": {"images": some, "cluster": cluster if rng.random() < 0.8 else None},
        "pin": {"images": some},
        "unpin": {"images": some},
        "exclude": {"images": some, "cluster": cluster},
    }
    if len(numbers) > 1:
        kinds["merge"] = {"clusters": [int(n) for n in rng.choice(numbers, 2, replace=False)]}
    if len(members := there[cluster]) > 3:
        how = {"images": members[:2]} if rng.random() < 0.5 else {"into": 2}
        kinds["split"] = {"cluster": cluster, **how}
    kind = str(rng.choice(sorted(kinds)))
    return {"kind": kind, **kinds[kind]}


@pytest.mark.parametrize("seed", [0, 1])
def test_any_series_equals_what_is_done_of_it(shared_api: TestClient, seed: int) -> None:
    """A random walk of edits, undos and redos; each state is the one that was there when as much was done."""
    rng = np.random.default_rng(seed)
    gallery = Gallery.make(shared_api.app.state.resources)  # type: ignore[attr-defined]
    vectors, truth = blobs(5, 8, seed=seed)
    gallery.add(vectors)
    walker, replayer = (Editor(shared_api, gallery, gallery.cluster(truth)) for _ in range(2))
    states, done, sent = [walker.everything()], 0, list[tuple[dict[str, Any], dict[int, list[str]]]]()
    for _ in range(STEPS):
        step = rng.random()
        if step < 0.25 and done:
            walker.undo()
            done -= 1
        elif step < 0.45 and done < len(sent):
            walker.redo()
            done += 1
        else:
            there = walker.by_cluster()
            body = random_edit(walker, there, rng)
            answer = walker.post("edits", body)
            if answer.status_code == 409 and answer.json()["code"] == "pinned":
                continue
            assert answer.status_code == 201, answer.text
            del sent[done:], states[done + 1 :]
            sent.append((body, there))
            done += 1
            states.append(walker.everything())
        assert walker.everything() == states[done]
    for body, there in sent[:done]:
        replayer.edit(**translated(replayer, body, there))
    assert alike(replayer) == alike(walker)


def translated(editor: Editor, body: dict[str, Any], there: dict[int, list[str]]) -> dict[str, Any]:
    """The same edit of clusters with the same images: their numbers are others, for none is used twice."""
    here = {tuple(members): number for number, members in editor.by_cluster().items()}
    found = dict(body)
    if body.get("cluster") is not None:
        found["cluster"] = here[tuple(there[body["cluster"]])]
    if "clusters" in body:
        found["clusters"] = [here[tuple(there[number])] for number in body["clusters"]]
    return found


def alike(editor: Editor) -> Any:
    """What two clusterings have in common after the same edits: their groups, numbers of later clusters differ."""
    found = editor.everything()
    names = {group: number for number, group in ((n, row[1]) for n, row in found["clusters"].items()) if group}
    clusters: dict[frozenset[Any], Any] = {}
    for number, (label, group, *rest) in found["clusters"].items():
        inside = frozenset(row[0] for row in found["assignments"] if row[1] == number)
        clusters[inside] = (label, group is None, *rest)
    members = {n: frozenset(row[0] for row in found["assignments"] if row[1] == n) for n in found["clusters"]}
    where = {group: members[number] for group, number in names.items()}
    return {
        "clusters": clusters,
        "assignments": [(image, run, distance) for image, _, run, distance in found["assignments"]],
        "hard": {(image, where.get(group)) for image, group in found["hard"].items()},
        "never": {(image, where[group]) for image, group in found["never"] if group in where},
        "apart": {frozenset(where[g] for g in pair) for pair in found["apart"] if all(g in where for g in pair)},
    }
