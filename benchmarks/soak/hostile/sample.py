"""One thing that is sent to Roost to break it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """kind: what is wrong with it. name: what its sender calls it; of an archive, zip or tar.

    good: the picture in an archive that must become ready, whatever the rest is.
    """

    kind: str
    name: str
    data: bytes
    good: bytes | None = None
