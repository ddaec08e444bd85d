"""Uploads by the page: a queue that pauses, outlives reloads and cut connections, and says what became of each file."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.ui.uploading import BROKEN, HOSTILE, SLOW, Gate, choose, collection, counts, dock, folder
from tests.fixtures.pictures import jpeg, zipped
from tests.fixtures.services import Service

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
__all__ = ["collection", "folder"]  # fixtures


def results(page: "Page") -> list[list[str]]:
    """The rows of the CSV that the dock offers."""
    with page.expect_download(timeout=SLOW) as download:
        dock(page).get_by_role("button", name="Results as CSV").click()
    text = Path(download.value.path()).read_bytes().decode()
    assert text.count("\r\n") == text.count("\n")
    return list(csv.reader(io.StringIO(text, newline="")))


def kept_files(page: "Page") -> int:
    """How many files the browser holds for after a reload."""
    return int(
        page.evaluate(
            """() => new Promise((resolve) => {
              indexedDB.open("roost.uploads").onsuccess = ({ target: { result: database } }) => {
                const asked = database.transaction("files").objectStore("files").count();
                asked.onsuccess = () => (database.close(), resolve(asked.result));
              };
            })"""
        )
    )


def test_a_folder_is_paused_outlives_a_reload_and_is_sorted_once(
    page: "Page", running: Service, collection: str, folder: Path
) -> None:
    gate = Gate(page)
    page.goto(f"/collections/{collection}")
    choose(page, "A folder", folder)
    expect(dock(page).get_by_role("heading", level=2)).to_have_text("Uploading 0 of 40 files")
    expect(dock(page).locator(".dock-rows li")).to_have_count(12)  # not the whole queue
    dock(page).get_by_role("button", name="Pause").click()
    expect(dock(page).get_by_role("heading", level=2)).to_have_text("Paused at 0 of 40 files")
    page.wait_for_function("() => indexedDB.databases().then((all) => all.length === 1)")
    while kept_files(page) < 40:
        page.wait_for_timeout(50)
    gate.reload()
    expect(dock(page).get_by_role("status")).to_have_text("40 files left from before: press Resume to go on.")
    assert running.client.get(f"/v1/collections/{collection}").json()["images"]["ready"] == 0
    dock(page).get_by_role("button", name="Resume").click()
    expect(dock(page).locator(".dock-rows li")).to_have_count(12)
    gate.open()
    expect(counts(page)).to_have_text("38 created · 1 already there · 1 rejected", timeout=SLOW)
    expect(dock(page).get_by_role("heading", level=2)).to_have_text("39 files uploaded")
    names = {image["name"] for image in running.pages(f"/v1/collections/{collection}/images", status="ready")}
    assert len(names) == 38 and {f"red/{HOSTILE}", "blue/0018.jpg"} <= names
    check_results(page)
    sorted_once(page, running, collection)
    assert kept_files(page) == 0


def sorted_once(page: "Page", running: Service, collection: str) -> None:
    """The pictures are sorted without being asked, and the page shows it."""
    expect(page.locator("main")).to_contain_text("Cluster", timeout=SLOW)
    jobs = running.pages("/v1/jobs", collection=collection)
    assert [job["kind"] for job in jobs if job["kind"] in ("cluster", "assign")] == ["cluster"]


def check_results(page: "Page") -> None:
    """What was not taken, with the reason, and a line for every file in the CSV."""
    trouble = dock(page).locator(".dock-trouble li")
    expect(trouble).to_have_count(1)
    expect(trouble).to_contain_text("blue/=broken.jpg")
    expect(trouble.locator("code")).to_have_text("image_corrupt")
    head, *rows = results(page)
    assert head == ["name", "status", "code", "detail"]
    by_name = {name: (status, code, detail) for name, status, code, detail in rows}
    assert len(rows) == len(by_name) == 40
    assert {by_name[name][0] for name in ("red/copy.jpg", "red/0000.jpg")} == {"created", "duplicate"}
    assert by_name[f"red/{HOSTILE}"] == ("created", "", "")
    status, code, detail = by_name["blue/=broken.jpg"]
    assert (status, code) == ("rejected", "image_corrupt") and detail.endswith(".")


def test_a_name_that_is_a_formula_or_markup_stays_text(page: "Page", collection: str, tmp_path: Path) -> None:
    names = ['=HYPERLINK("x"),1.jpg', "-1.jpg", "'quoted.jpg", HOSTILE]
    for n, name in enumerate(names):
        (tmp_path / name).write_bytes(b"no picture %d" % n)
    page.goto(f"/collections/{collection}")
    choose(page, "Pictures", *(tmp_path / name for name in names))
    expect(dock(page).locator(".dock-trouble li strong")).to_have_count(4)
    assert set(dock(page).locator(".dock-trouble li strong").all_inner_texts()) == set(names)
    assert dock(page).locator("img").count() == 0
    found = [row[0] for row in results(page)[1:]]
    assert sorted(found) == sorted(["'" + names[0], "'-1.jpg", "''quoted.jpg", HOSTILE])


def test_a_cut_connection_waits_and_goes_on_by_itself(page: "Page", collection: str, folder: Path) -> None:
    page.goto(f"/collections/{collection}")
    expect(page.get_by_role("button", name="Add pictures").first).to_be_visible()
    page.context.set_offline(True)
    choose(page, "Pictures", *(folder / "blue" / f"{n:04}.jpg" for n in range(4)))
    expect(dock(page).get_by_role("status")).to_contain_text("goes on by itself")
    expect(dock(page).get_by_role("heading", level=2)).to_have_text("Uploading 0 of 4 files")
    page.context.set_offline(False)
    expect(counts(page)).to_have_text("4 created", timeout=SLOW)
    expect(dock(page).get_by_role("status")).to_be_hidden()


def test_an_answer_that_was_lost_does_not_make_duplicates(page: "Page", collection: str, folder: Path) -> None:
    """The service has taken the files, the browser never heard: the same batch again gets the same answer."""
    session = page.context.new_cdp_session(page)
    lost: list[int] = []

    def lose(event: dict[str, Any]) -> None:
        request = {"requestId": event["requestId"]}
        if event["request"]["method"] != "POST" or lost:
            session.send("Fetch.continueRequest", request)
        else:
            lost.append(event["responseStatusCode"])
            session.send("Fetch.failRequest", {**request, "errorReason": "ConnectionReset"})

    session.on("Fetch.requestPaused", lose)
    session.send("Fetch.enable", {"patterns": [{"urlPattern": "*/images", "requestStage": "Response"}]})
    page.goto(f"/collections/{collection}")
    choose(page, "Pictures", *(folder / "red" / f"{n:04}.jpg" for n in range(3)))
    expect(counts(page)).to_have_text("3 created", timeout=SLOW)
    assert lost == [200]


def test_files_the_browser_lost_are_listed_and_can_be_chosen_again(page: "Page", collection: str, folder: Path) -> None:
    gate = Gate(page)
    page.goto(f"/collections/{collection}")
    choose(page, "Pictures", folder / "red" / "0001.jpg", folder / "red" / "0002.jpg")
    dock(page).get_by_role("button", name="Pause").click()
    while kept_files(page) < 2:
        page.wait_for_timeout(50)
    page.evaluate(
        """() => new Promise((resolve) => {
          indexedDB.open("roost.uploads").onsuccess = ({ target: { result: database } }) => {
            const change = database.transaction("files", "readwrite");
            const files = change.objectStore("files");
            files.getAllKeys().onsuccess = ({ target }) => files.delete(target.result.sort()[0]);
            change.oncomplete = () => (database.close(), resolve());
          };
        })"""
    )
    gate.reload()
    gate.open()
    dock(page).get_by_role("button", name="Resume").click()
    expect(counts(page)).to_have_text("1 created · 1 to be chosen again", timeout=SLOW)
    expect(dock(page).locator(".dock-trouble li")).to_contain_text("0001.jpg")
    choose(page, "Pictures", folder / "red" / "0001.jpg")
    expect(counts(page)).to_have_text("2 created", timeout=SLOW)


def test_an_archive_says_what_became_of_each_file_in_it(page: "Page", collection: str, tmp_path: Path) -> None:
    inside = {"wren/1.jpg": jpeg("red", 1), "wren/2.jpg": jpeg("red", 2), "copy.jpg": jpeg("red", 1), "x.jpg": BROKEN}
    (tmp_path / "birds.zip").write_bytes(zipped(inside))
    (tmp_path / "false.zip").write_bytes(b"no archive")
    page.goto(f"/collections/{collection}")
    choose(page, "Archives", tmp_path / "birds.zip", tmp_path / "false.zip")
    expect(counts(page)).to_have_text("2 created · 1 already there · 2 rejected", timeout=SLOW)
    rows = {row[0]: row[1:3] for row in results(page)[1:]}
    assert rows == {
        "birds.zip": ["unpacked", ""],
        "false.zip": ["rejected", "archive_corrupt"],
        "wren/1.jpg": ["created", ""],
        "wren/2.jpg": ["created", ""],
        "copy.jpg": ["duplicate", ""],
        "x.jpg": ["rejected", "image_corrupt"],
    }


def test_stopping_asks_first_and_keeps_what_is_there(
    page: "Page", running: Service, collection: str, folder: Path
) -> None:
    gate = Gate(page)
    page.goto(f"/collections/{collection}")
    choose(page, "A folder", folder)
    expect(dock(page).locator(".dock-rows li")).to_have_count(12)
    dock(page).get_by_role("button", name="Do not upload blue/0000.jpg").click()
    expect(dock(page).get_by_role("heading", level=2)).to_have_text("Uploading 0 of 39 files")
    dock(page).get_by_role("button", name="Stop").click()
    page.get_by_role("dialog", name="Stop uploading?").get_by_role("button", name="Stop").click()
    expect(dock(page)).to_be_hidden()
    gate.open()
    assert running.client.get(f"/v1/collections/{collection}/images").json()["items"] == []
