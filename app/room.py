"""How much more may come. Without anything of HTTP, since jobs ask for it too."""

from dataclasses import dataclass

from app.errors import RoostError


@dataclass(frozen=True)
class Room:
    """How many bytes of a stream may come, and how more are refused."""

    bytes: float
    refused: RoostError
