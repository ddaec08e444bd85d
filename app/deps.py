"""What routes ask for: resources, sessions whose transaction ends before the answer is sent, the idempotency key."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app.resources import Resources


def resources(request: Request) -> Resources:
    found: Resources = request.app.state.resources
    return found


Res = Annotated[Resources, Depends(resources)]


def _reading(res: Res) -> Iterator[Session]:
    with res.database.reading() as session:
        yield session


def _transaction(res: Res) -> Iterator[Session]:
    with res.database.transaction() as session:
        yield session


# scope="function": the commit comes before the answer, so nobody is told of what is not on disk
ReadSession = Annotated[Session, Depends(_reading, scope="function")]
WriteSession = Annotated[Session, Depends(_transaction, scope="function")]


def request_id(request: Request) -> str | None:
    return getattr(request.state, "request_id", None)


RequestId = Annotated[str | None, Depends(request_id)]
