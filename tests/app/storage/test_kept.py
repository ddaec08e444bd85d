"""Blobs whose rows come too late, or not at all."""

from pathlib import Path

import pytest

from app.errors import Unavailable
from app.storage import Storage
from app.storage.kept import removed_unless_kept
from tests.app.storage.test_contract import put


@pytest.mark.parametrize("limit", [60.0, 0.0])
def test_a_row_that_would_come_too_late_does_not_come(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: float
) -> None:
    """As after a night's sleep of the machine: `roost gc` may already have taken the blob for an orphan."""
    monkeypatch.setattr("app.storage.kept.COMMITTED_WITHIN_S", limit)

    def store() -> None:
        with removed_unless_kept(storage, ["key"]) as keep:
            put(storage, tmp_path, "key", b"x")
            keep(True)

    if limit:
        store()
    else:
        with pytest.raises(Unavailable, match="try again"):
            store()
    assert storage.exists("key") == bool(limit)
