"""What routes ask for: resources, sessions whose transaction ends before the answer is sent, the idempotency key."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Query, Request
from sqlalchemy.orm import Session

from app.pagination import Paging
from app.resources import Resources


def resources(request: Request) -> Resources:
    found: Resources = request.app.state.resources
    return found


Res = Annotated[Resources, Depends(resources)]


def _reading(res: Res) -> Iterator[Session]:
    with res.database.reading() as session:
        yield session


def _installation(res: Res) -> Iterator[Session]:
    with res.database.reading(everybody=True) as session:
        yield session


def _transaction(res: Res) -> Iterator[Session]:
    with res.database.transaction() as session:
        yield session


# scope="function": the commit comes before the answer, so nobody is told of what is not on disk
ReadSession = Annotated[Session, Depends(_reading, scope="function")]
InstallationSession = Annotated[Session, Depends(_installation, scope="function")]  # sees what is everybody's
WriteSession = Annotated[Session, Depends(_transaction, scope="function")]


def request_id(request: Request) -> str | None:
    return getattr(request.state, "request_id", None)


RequestId = Annotated[str | None, Depends(request_id)]


def _paging(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500, description="How many items at most.")] = 50,
    cursor: Annotated[str | None, Query(max_length=500, description="next_cursor of the page before.")] = None,
) -> Paging:
    return Paging(limit, cursor, request.url.path)


PagingQuery = Annotated[Paging, Depends(_paging)]
