"""What an encoder is, and how it fails.

EncoderError
  EncoderUnavailable       the weights are not here; the message says what to do
  EncoderHashMismatch      the weights are not the ones they claim to be
  EncoderDamaged           the file does not hold the weights of this network
  EncoderStorageFull       there is no room to write it
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn

Origin = Literal["builtin", "hub", "finetuned"]
Channels = tuple[float, float, float]  # red, green, blue


class EncoderError(Exception):
    """An encoder cannot be used. `code` is stable."""

    code: ClassVar[str] = "encoder_unavailable"


class EncoderUnavailable(EncoderError):
    """The weights are not on this machine; one sentence says what is missing and where to put it."""


class EncoderHashMismatch(EncoderError):
    """The weight file's SHA-256 is not the expected one."""

    code = "encoder_hash_mismatch"

    def __init__(self, file: Path, expected: str, found: str) -> None:
        super().__init__(f"{file} has the SHA-256 {found}, expected {expected}")
        self.expected, self.found = expected, found


class EncoderDamaged(EncoderError):
    """The weight file is no safetensors file, or of another network."""

    code = "encoder_damaged"


class EncoderStorageFull(EncoderError):
    """The disk is full; nothing of the encoder was left on it."""

    code = "storage_full"


@runtime_checkable
class Encoder(Protocol):
    """A network with weights. Everything but `load` is cheap and imports no torch."""

    @property
    def name(self) -> str: ...
    @property
    def origin(self) -> Origin: ...
    @property
    def base(self) -> str:
        """The timm architecture."""
        ...

    @property
    def dim(self) -> int:
        """D, the length of an embedding."""
        ...

    @property
    def input_size(self) -> int:
        """S, the side of the square input in pixels."""
        ...

    @property
    def mean(self) -> Channels:
        """Subtracted from pixels in 0..1."""
        ...

    @property
    def std(self) -> Channels:
        """Divides pixels in 0..1 after the mean is taken off."""
        ...

    @property
    def transformer(self) -> bool:
        """Whether the network is a vision transformer, which some SSL methods need."""
        ...

    @property
    def licence(self) -> str: ...
    @property
    def summary(self) -> str: ...

    def unavailable(self) -> str | None:
        """Why it cannot be used right now, in a sentence that says what to do; None when it can. No network."""
        ...

    def sha256(self) -> str:
        """Of the weight file. Raises EncoderUnavailable, EncoderHashMismatch."""
        ...

    def ir(self) -> Path | None:
        """The OpenVINO model that it brings along, see `models.encoders.export`; None: it has to be converted.

        Raises EncoderUnavailable, EncoderHashMismatch.
        """
        ...

    def network(self) -> nn.Module:
        """The architecture alone, with random weights, in evaluation mode; reads and fetches nothing."""
        ...

    def load(self) -> nn.Module:
        """The network in evaluation mode: (B, 3, S, S) normalised float32 -> (B, D).

        Raises EncoderUnavailable, EncoderHashMismatch, EncoderDamaged.
        """
        ...


def file_sha256(*files: Path) -> str:
    """SHA-256 in hex over the files' contents, one after the other.

    Read once for as long as their sizes and times stay the same.
    """
    states = [file.stat() for file in files]
    return _digest(files, tuple((state.st_size, state.st_mtime_ns) for state in states))


@lru_cache(maxsize=64)
def _digest(files: tuple[Path, ...], states: tuple[tuple[int, int], ...]) -> str:
    """`states` only tells one content from the next."""
    digest = sha256()
    for file in files:
        with file.open("rb") as stream:
            file_digest(stream, lambda: digest)
    return digest.hexdigest()
