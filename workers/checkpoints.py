"""Checkpoints of a training in the storage: another attempt, on whatever machine, goes on from the newest."""

from app.failpoints import reached
from app.ids import new_id
from models.ssl.checkpoint import State, read, write
from workers.context import Context


class StoredCheckpoints:
    """A file a state, below `folder`; names are ids, which grow with time. Only the newest is kept."""

    def __init__(self, context: Context, folder: str) -> None:
        self.context, self.folder = context, folder

    def load(self) -> State | None:
        names = sorted(self.context.storage.keys(self.folder))
        return read(self.context.storage.local(names[-1])) if names else None

    def save(self, state: State) -> None:
        """Raises DiskFull, StorageFull, LeaseLost, Stopped."""
        storage = self.context.storage
        older = list(storage.keys(self.folder))
        name = new_id()
        path = self.context.folder / f"{name}.pt"
        write(state, path)
        key = f"{self.folder}/{name}.pt"
        storage.put([(path, key)])
        reached("checkpoint.stored")
        plan = state["plan"]
        with self.context.step("train", plan["done"], plan["total"], "steps"):
            pass
        reached("checkpoint.noted")
        for one in older:
            storage.delete(one)
