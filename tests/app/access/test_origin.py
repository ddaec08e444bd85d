"""What other sites make a browser send, and requests of any kind that must be answered, not crash."""

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from app.access.gate import cookie
from app.access.origin import host_name, is_loopback
from app.main import create_app
from app.settings import Settings
from tests.app.calls import problem

GARDEN = {"name": "Garden"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver:81"},
        {"Origin": "http://testserver.elsewhere.example"},
        {"Origin": "http://[broken"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_change_that_another_sites_page_asks_for_is_refused(api: TestClient, headers: dict[str, str]) -> None:
    problem(api.post("/v1/collections", json=GARDEN, headers=headers), 403, "origin_refused")
    assert api.get("/v1/collections", headers=headers).json()["items"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://testserver"},
        {"Origin": "https://testserver", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://TestServer:80"},
        {"Origin": "http://localhost:8080", "Host": "localhost:8080"},
        {"Origin": "http://[::1]:8080", "Host": "[::1]:8080"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_change_from_the_page_itself_or_a_program_is_made(api: TestClient, headers: dict[str, str]) -> None:
    assert api.post("/v1/collections", json=GARDEN, headers=headers).status_code == 201


def test_a_proxy_may_have_a_name_of_its_own(settings: Settings) -> None:
    allowing = settings.model_copy(update={"allowed_hosts": "roost.example, photos.example:8443"})
    with TestClient(create_app(allowing, hosts=frozenset({"localhost"}))) as client:
        for name in ("https://roost.example", "https://photos.example:8443"):
            headers = {"Origin": name, "Host": "localhost:8080"}
            assert client.post("/v1/collections", json=GARDEN, headers=headers).status_code == 201
        assert client.get("/v1/collections", headers={"Host": "roost.example"}).status_code == 200
        problem(client.get("/v1/collections", headers={"Host": "other.example"}), 421, "host_refused")


def test_an_open_service_answers_to_no_name_that_was_bent_to_it(settings: Settings) -> None:
    with TestClient(create_app(settings, hosts=frozenset({"localhost", "127.0.0.1", "::1"}))) as client:
        for host in ("localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "localhost.:80"):
            assert client.get("/v1/collections", headers={"Host": host}).status_code == 200, host
        for host in ("rebound.example", "localhost.rebound.example:8080", "127.0.0.1.rebound.example", "0.0.0.0", "["):
            problem(client.get("/v1/collections", headers={"Host": host}), 421, "host_refused")


def test_addresses_that_only_this_machine_reaches() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.9.1", "::1", "localhost", "Localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.2", "roost.example", "", "127.0.0.1.example")))


HEADER = st.tuples(
    st.sampled_from(["authorization", "cookie", "origin", "host", "sec-fetch-site", "x-forwarded-proto"]),
    st.one_of(
        st.binary(max_size=60),
        st.from_regex(rb"(Bearer|bearer|Basic) ?[\x21-\xff]{0,40}", fullmatch=True),
        st.from_regex(rb"roost_session=[\x21-\xff]{0,20}(; [a-z]+=\"?[^\"]{0,8})?", fullmatch=True),
        st.from_regex(rb"https?://[\[\]a-z:0-9.%@/]{0,20}", fullmatch=True),
    ),
)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    headers=st.lists(HEADER, max_size=5), method=st.sampled_from(["GET", "POST", "DELETE", "BREW"]), keyed=st.booleans()
)
def test_no_header_breaks_the_door(
    both_doors: tuple[TestClient, TestClient], headers: list[tuple[str, bytes]], method: str, keyed: bool
) -> None:
    client = both_doors[keyed]
    sent = [(name.encode(), value) for name, value in headers]
    answer = client.request(method, "/v1/me", headers=sent)  # type: ignore[arg-type]
    assert answer.status_code in ((401, 403, 405) if keyed else (200, 403, 405, 421)), answer.text


@pytest.fixture(scope="module")
def both_doors(tmp_path_factory: pytest.TempPathFactory) -> object:
    """An open service and one with a key, which nobody here knows."""
    from app.access import keys

    def settings(name: str) -> Settings:
        return Settings(data=tmp_path_factory.mktemp(name) / "data", log_level="error")

    opened = create_app(settings("open"), hosts=frozenset({"testserver"}))
    closed = create_app(settings("closed"))
    with TestClient(opened) as first, TestClient(closed) as second:
        with closed.state.resources.database.transaction() as session:
            keys.make(session, "one", "admin", keys.owner(session, "local"), None)
        yield first, second


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=80), max_size=3))
def test_any_cookie_is_read_or_left(texts: list[str]) -> None:
    found = cookie(Headers(raw=[(b"cookie", text.encode("latin-1")) for text in texts]))
    assert found is None or any(found in text or '"' in text for text in texts)


@given(st.text(max_size=40))
@example("[")
def test_any_host_has_a_name(text: str) -> None:
    assert ":" not in host_name(f"{text.replace(':', '')}:80")
