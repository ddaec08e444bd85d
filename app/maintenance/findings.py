"""What verify finds."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

Kind = Literal["missing", "orphaned", "mismatched"]
Progress = Callable[[int, int], None]  # how many are done, and of how many


@dataclass(frozen=True)
class Finding:
    """A blob that is not there, not what its row says, or that no row names; `row` is the id of who names it."""

    kind: Kind
    what: str
    key: str
    detail: str
    collection_id: UUID | None = None
    row: UUID | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.what} {self.key}: {self.detail}"

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        ids = {"collection_id": self.collection_id, "row": self.row}
        return asdict(self) | {name: one and str(one) for name, one in ids.items()}
