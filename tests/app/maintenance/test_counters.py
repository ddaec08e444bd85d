"""What owners use, counted against the rows."""

from fastapi.testclient import TestClient
from sqlalchemy import update

from app.db.tables import LOCAL, Owner
from app.maintenance.repair import repair
from app.maintenance.verify import verify
from app.resources import Resources
from tests.app.calls import new_collection, new_image


def test_a_wrong_count_is_found_and_set_right(either_api: TestClient) -> None:
    res: Resources = either_api.app.state.resources  # type: ignore[attr-defined]
    for name in ("a", "b"):
        new_image(either_api, new_collection(either_api, name), name=f"{name}.jpg")
    used = either_api.get("/v1/quota").json()
    assert verify(res, 0, lambda done, total: None) == []
    with res.database.transaction() as session:
        session.execute(update(Owner).where(Owner.id == LOCAL).values(used_bytes=1, used_images=-1))
    for grace_s in (0, 3600):
        (found,) = verify(res, grace_s, lambda done, total: None)
        assert (found.kind, found.what, found.key, found.row) == ("mismatched", "quota", "owners/local", LOCAL)
        assert f"there are {used['bytes']['used']} and 2" in found.detail
    assert repair(res, [found]) == []
    assert verify(res, 0, lambda done, total: None) == [] and either_api.get("/v1/quota").json() == used
