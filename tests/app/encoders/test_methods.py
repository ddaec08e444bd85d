"""/v1/methods: a child process describes them, once; and the check of what a person chose."""

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from app.encoders.methods import METHODS, Methods, checked
from app.encoders.schemas import MethodOut
from app.errors import Invalid, NotFound, Unavailable
from models import registry

ONE = MethodOut(
    name="one",
    summary="A test.",
    paper="https://example.org",
    needs=[],
    params={
        "type": "object",
        "additionalProperties": False,
        "$defs": {"Kind": {"enum": ["a", "b"], "type": "string"}},
        "properties": {
            "epochs": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
            "lr": {"type": "number", "exclusiveMinimum": 0, "default": 0.1},
            "minutes": {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}], "default": None},
            "blocks": {"anyOf": [{"type": "integer"}, {"const": "all", "type": "string"}], "default": 1},
            "norm": {"type": "boolean", "default": True},
            "kind": {"$ref": "#/$defs/Kind", "default": "a"},
            "sizes": {"type": "array", "items": {"type": "integer"}, "default": [1]},
        },
    },
)


def test_every_method_is_listed(shared_api: TestClient) -> None:
    found = shared_api.get("/v1/methods").json()
    assert [one["name"] for one in found] == registry.names("ssl.methods")
    for one in found:
        assert one["summary"].endswith(".") and one["paper"].startswith("https://")
        params = one["params"]["properties"]
        assert params.keys() >= {"epochs", "max_minutes", "batch_size", "lr", "train_blocks", "seed"}
        assert all("description" in entry and "default" in entry for entry in params.values()), one["name"]


def test_the_api_asks_without_importing_torch() -> None:
    script = "import sys; from app.encoders.methods import METHODS; print(len(METHODS.all()), 'torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == [str(len(registry.names("ssl.methods"))), "False"]


def test_the_defaults_of_every_method_are_valid() -> None:
    for method in METHODS.all().values():
        defaults = {name: entry["default"] for name, entry in method.params["properties"].items()}
        assert checked(method, defaults) == checked(method, {}) == defaults


def test_an_unknown_method() -> None:
    with pytest.raises(NotFound, match="GET /v1/methods") as caught:
        METHODS.get("magic")
    assert caught.value.code == "method_not_found"


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that may be asked; it notes each time that it was, and fails while there is a file "broken"."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "described_here.py").write_text(
        "import pathlib, sys\n"
        "here = pathlib.Path(__file__).parent\n"
        "with (here / 'asked').open('a') as asked: asked.write('x')\n"
        "if (here / 'broken').exists(): sys.exit('no torch today')\n"
        f"print('''[{ONE.model_dump_json()}]''')\n"
    )
    return tmp_path


def test_one_child_answers_all_who_ask_at_once(child: Path) -> None:
    methods = Methods("described_here")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: methods.all(), range(16)))
    assert all(answer == {"one": ONE} for answer in answers)
    assert (child / "asked").read_text() == "x"


def test_a_failure_is_told_and_not_kept(child: Path) -> None:
    methods = Methods("described_here")
    (child / "broken").touch()
    with capture_logs() as logged, pytest.raises(Unavailable) as caught:
        methods.all()
    assert caught.value.code == "methods_unavailable"
    assert [entry["stderr"].strip() for entry in logged] == ["no torch today"]
    (child / "broken").unlink()
    assert methods.all() == {"one": ONE}


def test_what_was_not_chosen_gets_its_default() -> None:
    assert checked(ONE, {"lr": 1, "blocks": "all", "minutes": None}) == {
        "epochs": 10, "lr": 1, "minutes": None, "blocks": "all", "norm": True, "kind": "a", "sizes": [1],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"lrr": 1}, "params.lrr is no parameter of one; it has epochs, lr,"),
        ({"epochs": 0}, "params.epochs must be an integer at least 1 and at most 100, not 0."),
        ({"epochs": 1.5}, "params.epochs must be an integer at least 1 and at most 100, not 1.5."),
        ({"epochs": True}, "params.epochs must be an integer"),
        ({"lr": "fast"}, 'params.lr must be a number above 0, not "fast".'),
        ({"lr": math.nan}, "params.lr must be finite."),
        ({"minutes": math.inf}, "params.minutes must be finite."),
        ({"minutes": -1}, "params.minutes must be a number above 0 or null, not -1."),
        ({"blocks": "some"}, 'params.blocks must be an integer or "all", not "some".'),
        ({"norm": 1}, "params.norm must be true or false, not 1."),
        ({"kind": "c"}, 'params.kind must be "a" or "b", not "c".'),
        ({"sizes": [1, "x"]}, 'params.sizes.1 must be an integer, not "x".'),
        ({"sizes": [math.nan]}, "params.sizes must be finite."),
    ],
)
def test_what_can_not_be(params: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked(ONE, params)
    assert caught.value.code == "params_invalid"
    assert caught.value.detail.startswith(says) and caught.value.detail.endswith(".")
