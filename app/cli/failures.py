"""How a command fails: one clear line, exit code 1; or 2 for wrong use."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from models.encoders.base import Encoder


@contextmanager
def failing_clearly(command: str) -> Iterator[None]:
    """Turn errors that a person can do something about into one line; any other is a fault of ours and stays loud."""
    import httpx

    from app.demo.client import JobEnded
    from app.folder.labels import LabelsUnreadable
    from app.folder.scan import NothingToDo

    try:
        yield
    except (LabelsUnreadable, NothingToDo, JobEnded, httpx.HTTPError, OSError) as error:
        _fail(command, str(error))
    except KeyboardInterrupt:
        _fail(command, "stopped; nothing else was written")
    except Exception as error:
        if not isinstance(getattr(error, "code", None), str):
            raise
        _fail(command, "\n".join([str(error), *getattr(error, "__notes__", [])]))


def encoder_option(text: str) -> "Encoder":
    """What --encoder names. Wrong use is told before anything heavy is imported."""
    from app.folder.encoder import chosen
    from models.encoders.base import EncoderError

    try:
        return chosen(text)
    except EncoderError as error:
        raise typer.BadParameter(str(error), param_hint="--encoder") from error


def _fail(command: str, reason: str) -> None:
    print(f"roost {command}: {reason}", file=sys.stderr)
    raise typer.Exit(1)
