"""CIFAR-10 as uint8 tensors: 10,000 pictures to train on and 2,000 to test with, evenly of ten classes."""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

import simplejpeg
import torch
from torch import Tensor

from models.ssl.base import Setting

ARCHIVE = "cifar10-12k.tar.gz"  # cifar10/<train or test>/<class>/<number>.jpg
MEAN, STD = (0.491, 0.482, 0.447), (0.247, 0.243, 0.262)
SIZE = 32


@dataclass(frozen=True)
class Cifar:
    """train (N, 3, 32, 32) and test (M, 3, 32, 32), uint8, with the name of each one's class."""

    train: Tensor
    train_labels: list[str]
    test: Tensor
    test_labels: list[str]

    @property
    def setting(self) -> Setting:
        return Setting(len(self.train), SIZE, MEAN, STD)


def load() -> Cifar:
    """From the folder $ROOST_DATA, or ../shared/data. Raises FileNotFoundError."""
    pictures: dict[str, list[Tensor]] = {"train": [], "test": []}
    labels: dict[str, list[str]] = {"train": [], "test": []}
    with tarfile.open(Path(os.environ.get("ROOST_DATA", "../shared/data")) / ARCHIVE) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is None:
                continue
            _, part, label, _ = member.name.split("/")
            pictures[part].append(torch.from_numpy(simplejpeg.decode_jpeg(stream.read())).permute(2, 0, 1))
            labels[part].append(label)
    return Cifar(torch.stack(pictures["train"]), labels["train"], torch.stack(pictures["test"]), labels["test"])
