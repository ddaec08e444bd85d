"""A fine-tuned encoder: a folder that holds all there is to know of it.

model.safetensors      the whole network's state dict
model.xml, model.bin   the same as OpenVINO model, see `models.encoders.export`
encoder.json           `Description`
training.html          how it was trained, for people; not part of what is verified
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from models import registry
from models.disk import flush, no_space
from models.encoders.base import (
    Channels,
    Encoder,
    EncoderDamaged,
    EncoderHashMismatch,
    EncoderStorageFull,
    EncoderUnavailable,
    Origin,
    file_sha256,
)
from models.encoders.export import IR, make_durable, write_ir

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS = "model.safetensors"
DESCRIPTION = "encoder.json"
REPORT = "training.html"
PACKAGES = ("roost", "torch", "timm", "openvino")
FULL_DISK = "The disk of {folder} is full; free some space or add some, then try again."
PLAN_BYTES = 2**20  # more than model.xml takes


class Recipe(BaseModel):
    """What made an encoder."""

    model_config = ConfigDict(frozen=True)

    name: str
    base: str = Field(description="Name in the registry of the encoder that it comes from.")
    method: str
    params: dict[str, Any]
    seed: int
    fingerprint: str = Field(description="Of the images, see `fingerprint`.")
    images: int = Field(ge=0, description="How many it was trained on.")


class Description(Recipe):
    """What encoder.json says."""

    architecture: str = Field(description="timm's name of it.")
    dim: int = Field(gt=0)
    input_size: int = Field(gt=0)
    mean: Channels
    std: Channels
    licence: str = Field(description="Of the weights that it comes from.")
    sha256: str = Field(description="Of model.safetensors.")
    ir_sha256: str = Field(description="Of model.xml and model.bin, one after the other.")
    versions: dict[str, str]
    created_at: AwareDatetime


def fingerprint(hashes: Iterable[str]) -> str:
    """Of a set of images: SHA-256 over the sorted SHA-256s of their files, in hex, each followed by a line feed."""
    return sha256("".join(f"{one}\n" for one in sorted(hashes)).encode()).hexdigest()


@dataclass(frozen=True)
class FinetunedEncoder:
    """An opened folder. `description.base` names the encoder it comes from, `base` is the architecture."""

    folder: Path
    description: Description
    origin: Origin = "finetuned"

    @classmethod
    def open(cls, folder: Path) -> FinetunedEncoder:
        """Reads encoder.json alone. Raises EncoderUnavailable, EncoderDamaged."""
        try:
            description = Description.model_validate_json((folder / DESCRIPTION).read_bytes())
        except OSError as error:
            raise EncoderUnavailable(f"{folder} holds no fine-tuned encoder: {DESCRIPTION} can't be read.") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise EncoderDamaged(f"{folder / DESCRIPTION} describes no encoder: {where} {first['msg']}") from error
        if description.base not in registry.names("encoders"):
            raise EncoderDamaged(f"{folder / DESCRIPTION} names {description.base!r}, which is no encoder known here")
        return cls(folder, description)

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def base(self) -> str:
        return self.description.architecture

    @property
    def dim(self) -> int:
        return self.description.dim

    @property
    def input_size(self) -> int:
        return self.description.input_size

    @property
    def mean(self) -> Channels:
        return self.description.mean

    @property
    def std(self) -> Channels:
        return self.description.std

    @property
    def transformer(self) -> bool:
        return self._origin().transformer

    @property
    def licence(self) -> str:
        return self.description.licence

    @property
    def summary(self) -> str:
        made = self.description
        return f"{made.base}, fine-tuned with {made.method} on {made.images} pictures."

    def unavailable(self) -> str | None:
        missing = [name for name in (WEIGHTS, *IR) if not (self.folder / name).is_file()]
        if missing:
            return f"{', '.join(missing)} of the fine-tuned encoder {self.name} lacks; bring it back to {self.folder}."
        return None

    def sha256(self) -> str:
        return self._checked(self.description.sha256, WEIGHTS)

    def ir(self) -> Path:
        self._checked(self.description.ir_sha256, *IR)
        return self.folder / IR[0]

    def network(self) -> nn.Module:
        return self._origin().network()

    def load(self) -> nn.Module:
        file = self.folder / WEIGHTS
        try:
            data = file.read_bytes()
        except FileNotFoundError as error:
            raise EncoderUnavailable(self.unavailable()) from error
        if (found := sha256(data).hexdigest()) != self.description.sha256:
            raise EncoderHashMismatch(file, self.description.sha256, found)
        return _filled(self.network(), data, str(file))

    def _origin(self) -> Encoder:
        found: Encoder = registry.load("encoders", self.description.base)
        return found

    def _checked(self, expected: str, *names: str) -> str:
        """The hash of these files, which is the one they claim."""
        files = [self.folder / name for name in names]
        try:
            found = file_sha256(*files)
        except FileNotFoundError as error:
            raise EncoderUnavailable(self.unavailable()) from error
        if found != expected:
            raise EncoderHashMismatch(files[0], expected, found)
        return found


def publish(network: nn.Module, recipe: Recipe, folder: Path) -> FinetunedEncoder:
    """Writes the folder, which must not exist, whole or not at all; the network stays as it is, wherever it is.

    network: has the architecture of the recipe's base. Takes half a minute: OpenVINO converts it.
    Raises EncoderDamaged, ExportFailed, EncoderStorageFull, FileExistsError.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists")
    with _storage_full_named(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(mkdtemp(prefix=f"{folder.name}.", suffix=".partial", dir=folder.parent))
    try:
        with _storage_full_named(partial):
            _write(network, recipe, partial)
            make_durable(partial)
            partial.rename(folder)
            flush(folder.parent)
    finally:
        rmtree(partial, ignore_errors=True)  # already renamed when all went well
    return FinetunedEncoder.open(folder)


def _write(network: nn.Module, recipe: Recipe, folder: Path) -> None:
    from safetensors.torch import save

    base: Encoder = registry.load("encoders", recipe.base)
    # Not safetensors' own save_file: its error does not tell a full disk from any other.
    (folder / WEIGHTS).write_bytes(data := save(_plain(network.state_dict())))
    write_ir(base, _filled(base.network(), data, "the network"), folder)
    described = Description(
        **recipe.model_dump(), architecture=base.base, dim=base.dim, input_size=base.input_size,
        mean=base.mean, std=base.std, licence=base.licence, sha256=sha256(data).hexdigest(),
        ir_sha256=file_sha256(*(folder / name for name in IR)),
        versions={package: version(package) for package in PACKAGES}, created_at=datetime.now(UTC),
    )  # fmt: skip
    (folder / DESCRIPTION).write_text(described.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As safetensors wants them: on the CPU, each in memory of its own, in order."""
    return {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}


def _filled(network: nn.Module, data: bytes, source: str) -> nn.Module:
    """Raises EncoderDamaged unless the data are exactly this network's weights."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        network.load_state_dict(load(data), strict=True)
    except (SafetensorError, RuntimeError) as error:
        raise EncoderDamaged(f"{source} does not fit the architecture: {error}") from error
    return network.eval()


@contextmanager
def _storage_full_named(folder: Path) -> Iterator[None]:
    """A full disk becomes EncoderStorageFull, also where OpenVINO only says that something went wrong."""
    try:
        yield
    except OSError as error:
        if no_space(error):
            raise EncoderStorageFull(FULL_DISK.format(folder=folder.parent)) from error
        raise
    except RuntimeError as error:
        if _is_full(folder):
            raise EncoderStorageFull(FULL_DISK.format(folder=folder.parent)) from error
        raise


def _is_full(folder: Path) -> bool:
    """Whether there is no room for another file as large as the weights, and for a network's plan beside it."""
    weights = folder / WEIGHTS
    try:
        (folder / "probe").write_bytes(bytes(PLAN_BYTES + (weights.stat().st_size if weights.exists() else 0)))
    except OSError as error:
        return no_space(error)
    return False
