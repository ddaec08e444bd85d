"""A hundred people correct one clustering at once, over real HTTP, on both databases: one history, nothing lost."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from app.main import create_app
from app.settings import Settings
from tests.app.corrections.editing import Editor
from tests.fixtures.clusterings import Gallery, blobs
from tests.fixtures.servers import free_port

PEOPLE = 100
AT_ONCE = 6  # of those who try again: people don't, all in the same hundredth of a second


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[FastAPI, str]]:
    url = request.getfixturevalue("new_postgres_url")() if request.param == "postgresql" else None
    app = create_app(Settings(data=tmp_path / "data", database_url=url, log_level="error"))
    server = uvicorn.Server(uvicorn.Config(app, port=(port := free_port()), log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    yield app, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_a_hundred_at_once(served: tuple[FastAPI, str]) -> None:
    app, url = served
    gallery = Gallery.make(app.state.resources)
    vectors, truth = blobs(4, PEOPLE // 4)
    gallery.add(vectors)
    client: Any = httpx.Client(base_url=url, timeout=60, verify=False)
    editor = Editor(client, gallery, gallery.cluster(truth))
    goals = [random.Random(person).choice([n for n in range(4) if n != truth[person]]) for person in range(PEOPLE)]
    first, gate, turns = threading.Barrier(PEOPLE), editor.etag, threading.Semaphore(AT_ONCE)

    def attempt(person: int, etag: str) -> int:
        body = {"kind": "move", "images": editor.images(person), "cluster": goals[person], "who": f"person {person}"}
        answer = client.post(f"{editor.path}/edits", json=body, headers={"If-Match": etag})
        assert answer.status_code in (201, 412, 503), answer.text  # 503: the database was busy
        return int(answer.status_code)

    def correct(person: int) -> int:
        first.wait()
        tries = 1
        if attempt(person, gate) == 201:
            return tries
        while True:
            with turns:
                tries += 1
                if attempt(person, editor.etag) == 201:
                    return tries

    with ThreadPoolExecutor(PEOPLE) as pool:
        tries = list(pool.map(correct, range(PEOPLE)))

    assert tries.count(1) == 1, "of those who saw the same state one is first, and the others are told"
    history = client.get(f"{editor.path}/edits?limit=500").json()["items"]
    assert [one["revision"] for one in history] == list(range(PEOPLE + 1, 1, -1)), "one after the other, none twice"
    assert {one["who"] for one in history} == {f"person {person}" for person in range(PEOPLE)}
    assert editor.numbers() == goals and editor.etag == f'"{PEOPLE + 1}"'
    assert {number: one["size"] for number, one in editor.clusters().items()} == Counter(goals)
    for _ in range(3):
        editor.undo()
    last = [int(one["who"].removeprefix("person ")) for one in history[:3]]
    numbers = editor.numbers()
    assert [numbers[person] for person in last] == [truth[person] for person in last]
