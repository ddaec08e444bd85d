"""The shell and the files of the page, without a browser."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.ui.assets import STATIC, assets
from app.ui.policy import CONTENT

MODULES = sorted(STATIC.rglob("*.js"))
SOURCE = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""")
PAGES = ["/", "/collections/x", "/collections/x/clusters/3", "/jobs", "/settings"]


@pytest.mark.parametrize("address", PAGES)
def test_every_address_of_the_page_gives_the_shell_under_its_policy(shared_api: TestClient, address: str) -> None:
    answer = shared_api.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == CONTENT
    assert answer.headers["cache-control"] == "no-cache"


def test_the_policy_lets_nothing_inline_and_no_strangers_in() -> None:
    assert "unsafe-inline" not in CONTENT
    assert "unsafe-eval" not in CONTENT
    assert "http" not in CONTENT
    assert CONTENT.startswith("default-src 'none'; script-src 'self';")


def test_the_shell_has_no_inline_script_or_style(shared_api: TestClient) -> None:
    shell = shared_api.get("/").text
    assert re.findall(r"<script(?![^>]*\bsrc=)", shell) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", shell) == []


def test_all_that_the_shell_names_is_there_for_ever_and_packed(shared_api: TestClient) -> None:
    urls = re.findall(r'(?:src|href)="(/ui/[^"]+)"', shared_api.get("/").text)
    assert len(urls) > 10
    for url in urls:
        answer = shared_api.get(url, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200, url
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        assert shared_api.get(url, headers={"Accept-Encoding": "identity"}).content == answer.content


def test_a_file_of_another_version_is_gone_and_says_what_to_do(shared_api: TestClient) -> None:
    answer = shared_api.get("/ui/0000000000000000/app.js")
    assert (answer.status_code, answer.json()["code"]) == (404, "page_outdated")
    assert shared_api.get(assets().url("../routes.py")).status_code == 404


def test_plotly_comes_from_its_package(shared_api: TestClient) -> None:
    answer = shared_api.get("/ui/plotly.js")
    assert answer.status_code == 200
    assert b"Plotly, Inc." in answer.content[:300]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(STATIC).as_posix())
def test_a_module_is_short_imports_what_exists_and_writes_no_markup(module: Path) -> None:
    text = module.read_text()
    assert len(text.splitlines()) < 300
    missing = [source for source in SOURCE.findall(text) if not (module.parent / source).resolve().is_file()]
    assert missing == []
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text) == []
    assert re.findall(r"https?://(?!www\.w3\.org)\w", text) == []
