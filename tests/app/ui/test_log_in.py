"""The page of a service that has keys: logging in where one stands, the keys in the settings, and being logged out."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from app.access import keys
from app.db.migrate import migrate
from app.db.session import Database
from tests.fixtures.services import Service, environment

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
Shoot = Callable[[str], None]


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    """A service with a key of scope admin, and that key."""
    data = tmp_path_factory.mktemp("keyed") / "data"
    data.mkdir()
    database = Database(f"sqlite:///{data / 'roost.db'}")
    migrate(database)
    with database.transaction() as session:
        key = keys.make(session, "my laptop", "admin", keys.owner(session, "local"), None).text
    database.close()
    service = Service(data, environment(data)).start()
    yield service, key
    assert service.stop() == [0]


@pytest.fixture(scope="module")
def service(keyed: tuple[Service, str]) -> str:
    """Where the page of these tests is, instead of the open service's."""
    return str(keyed[0].client.base_url).rstrip("/")


def log_in(page: "Page", key: str) -> None:
    page.get_by_label("Key").fill(key)
    page.keyboard.press("Enter")


def heading(page: "Page", text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_one_logs_in_where_one_stands_and_out_again(page: "Page", keyed: tuple[Service, str], shoot: Shoot) -> None:
    page.goto("/jobs?state=failed")
    heading(page, "Log in")
    expect(page.get_by_label("Key")).to_be_focused()
    shoot("log-in")
    log_in(page, "roost_wrong")
    expect(page.get_by_role("alert")).to_contain_text("no key that holds")
    log_in(page, keyed[1])
    heading(page, "Jobs")
    assert page.url.endswith("/jobs?state=failed")
    assert keyed[1] not in page.evaluate("JSON.stringify([localStorage, sessionStorage]) + document.cookie")
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_text("Only those who have a key may use this service")).to_be_visible()
    expect(page.get_by_text("Open to whoever reaches its address.")).to_have_count(0)
    shoot("settings-keys")
    page.get_by_role("button", name="Log out").click()
    heading(page, "Log in")
    page.goto("/")
    heading(page, "Log in")


def test_an_admin_makes_a_key_which_is_shown_once_and_revokes_it(page: "Page", keyed: tuple[Service, str]) -> None:
    page.goto("/settings")
    log_in(page, keyed[1])
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name").fill("bird table <b>")
    page.get_by_label("May").select_option("read")
    page.get_by_label("Days it holds").fill("90")
    page.get_by_role("button", name="Make the key").click()
    made = page.get_by_label("The key", exact=True).input_value()
    client = keyed[0].client
    headers = {"Authorization": f"Bearer {made}"}
    assert client.get("/v1/me", headers=headers).json() == {
        "owner": "local", "scope": "read", "key": "bird table <b>", "open": False,
    }  # fmt: skip
    page.get_by_role("button", name="Close").click()
    assert made not in page.content()
    page.get_by_role("button", name="Revoke bird table <b>").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("button", name="Revoke bird table <b>")).to_have_count(0)
    assert client.get("/v1/me", headers=headers).status_code == 401


def test_who_is_logged_in_and_loses_the_key_comes_to_the_log_in(page: "Page", keyed: tuple[Service, str]) -> None:
    client, admin = keyed[0].client, {"Authorization": f"Bearer {keyed[1]}"}
    made = client.post("/v1/keys", json={"name": "for a day", "scope": "write"}, headers=admin).json()
    page.goto("/settings")
    log_in(page, made["key"])
    heading(page, "Settings")
    expect(page.get_by_role("heading", name="Keys", exact=True)).to_have_count(0)
    client.delete(f"/v1/keys/{made['id']}", headers=admin)
    page.get_by_role("link", name="Jobs").click()
    heading(page, "Log in")
    log_in(page, keyed[1])
    heading(page, "Jobs")
