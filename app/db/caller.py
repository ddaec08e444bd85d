"""Who makes the request that is being answered; known everywhere below it, in its threads too."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Scope = Literal["read", "write", "admin"]
LOCAL = UUID(int=1)  # whose everything is while nobody has a key


@dataclass(frozen=True)
class Caller:
    """Somebody with a key, or, where nobody has one, whoever reaches the address: then `key_id` is None."""

    owner_id: UUID
    scope: Scope
    key_id: UUID | None = None


ANYBODY = Caller(LOCAL, "admin")
# Without a key where one is needed: only what is open to all answers, and even there nothing is seen.
NOBODY = Caller(UUID(int=0), "read", UUID(int=0))
CALLER: ContextVar[Caller | None] = ContextVar("caller", default=None)  # None in workers and on the command line


def owner_id() -> UUID:
    """Whose is what is being made now."""
    caller = CALLER.get()
    return caller.owner_id if caller else LOCAL


def confined_to() -> UUID | None:
    """The owner whose rows alone are there for this caller; None for who sees all."""
    caller = CALLER.get()
    return caller.owner_id if caller and caller.key_id else None
