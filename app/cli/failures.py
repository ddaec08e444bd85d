"""How a command fails: one clear line, exit code 1."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def failing_clearly(command: str) -> Iterator[None]:
    """Turn errors that a person can do something about into one line; any other is a fault of ours and stays loud."""
    import httpx

    from app.demo.client import JobEnded
    from app.folder.labels import LabelsUnreadable
    from app.folder.run import NothingToDo

    try:
        yield
    except (LabelsUnreadable, NothingToDo, JobEnded, httpx.HTTPError, OSError) as error:
        _fail(command, str(error))
    except KeyboardInterrupt:
        _fail(command, "stopped; nothing else was written")
    except Exception as error:
        if not isinstance(getattr(error, "code", None), str):
            raise
        _fail(command, str(error))


def _fail(command: str, reason: str) -> None:
    print(f"roost {command}: {reason}", file=sys.stderr)
    raise typer.Exit(1)
