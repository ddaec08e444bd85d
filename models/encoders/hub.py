"""Encoders from the Hugging Face hub, by timm name. Only safetensors is read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.encoders.base import Channels, EncoderDamaged, EncoderUnavailable, Origin, file_sha256

if TYPE_CHECKING:
    from torch import nn

FILE = "model.safetensors"
REACHED_WITHIN_S = 10.0
IMAGENET_MEAN: Channels = (0.485, 0.456, 0.406)
IMAGENET_STD: Channels = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class HubEncoder:
    """A vision transformer of timm whose weights lie in the hub repository timm/<base>."""

    name: str
    base: str
    dim: int
    licence: str
    summary: str

    origin: Origin = "hub"
    input_size: int = 224
    mean: Channels = IMAGENET_MEAN
    std: Channels = IMAGENET_STD
    transformer: bool = True

    @property
    def repository(self) -> str:
        return f"timm/{self.base}"

    def folder(self) -> Path:
        """Where a person without network puts the file: $ROOST_ENCODER_DIR/<name>."""
        root = os.environ.get("ROOST_ENCODER_DIR") or Path.home() / ".cache" / "roost" / "encoders"
        return Path(root) / self.name

    def unavailable(self) -> str | None:
        if self._local() is not None:
            return None
        return (
            f"Download {FILE} of https://huggingface.co/{self.repository} and put it into {self.folder()}, "
            "or let this machine reach the hub once."
        )

    def sha256(self) -> str:
        file = self._local()
        if file is None:
            raise EncoderUnavailable(self.unavailable())
        return file_sha256(file)

    def ir(self) -> None:
        """It has to be converted."""

    def network(self) -> nn.Module:
        import timm

        # img_size makes timm build the position embedding for this size.
        network: nn.Module = timm.create_model(self.base, pretrained=False, num_classes=0, img_size=self.input_size)
        return network.eval()

    def load(self) -> nn.Module:
        """Fetches the file from the hub if it is not here and the network allows."""
        file = self._local() or self._download()
        network = self.network()
        _fill(network, file)
        return network

    def _local(self) -> Path | None:
        own = self.folder() / FILE
        if own.is_file():
            return own
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        from huggingface_hub import try_to_load_from_cache

        cached = try_to_load_from_cache(self.repository, FILE)
        return Path(cached) if isinstance(cached, str) else None

    def _download(self) -> Path:
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        from huggingface_hub import get_session, hf_hub_download, hf_hub_url

        try:
            # Asked once ahead: the download itself tries six times, 23 s of silence where there is no network.
            get_session().head(hf_hub_url(self.repository, FILE), timeout=REACHED_WITHIN_S)
            return Path(hf_hub_download(self.repository, FILE))
        except Exception as error:  # whatever its client raises, which has been requests, httpx and httpx2
            raise EncoderUnavailable(self.unavailable()) from error


def _fill(network: nn.Module, file: Path) -> None:
    """Loads the file; a part of the network it says nothing about is an error.

    timm's own loader is not used: without a classifier it tolerates missing entries and leaves those parts random.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from timm.models.vision_transformer import checkpoint_filter_fn

    try:
        weights = checkpoint_filter_fn(load_file(file), network)  # resamples the position embedding
        missing = network.load_state_dict(weights, strict=False).missing_keys
    except (SafetensorError, RuntimeError, KeyError) as error:
        raise EncoderDamaged(f"{file} does not fit the network: {error}") from error
    if missing:
        raise EncoderDamaged(f"{file} does not fit the network: it lacks {', '.join(missing[:3])} and others")
