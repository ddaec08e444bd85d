"""/v1/encoders"""

from fastapi.testclient import TestClient

from models import registry
from tests.app.calls import NOWHERE, problem


def test_every_plug_in_has_a_row(shared_api: TestClient) -> None:
    page = shared_api.get("/v1/encoders", params={"limit": 500}).json()
    assert sorted(one["name"] for one in page["items"]) == registry.names("encoders")
    for one in page["items"]:
        assert shared_api.get(f"/v1/encoders/{one['id']}").json() == one
        assert one["available"] == (one["reason"] is None) == (one["sha256"] is not None)
        assert one["origin"] in ("builtin", "hub") and one["dim"] > 0 and one["collection_id"] is None


def test_the_default_is_always_there(api: TestClient) -> None:
    (lite0,) = [one for one in api.get("/v1/encoders").json()["items"] if one["name"] == "efficientnet-lite0"]
    assert lite0["available"] and lite0["origin"] == "builtin" and len(lite0["sha256"]) == 64


def test_what_is_not_there(api: TestClient) -> None:
    problem(api.get(f"/v1/encoders/{NOWHERE}"), 404, "encoder_not_found")
    problem(api.get("/v1/encoders/efficientnet-lite0"), 422, "invalid")
