"""What is wrong with a fine-tuning before it begins."""

from __future__ import annotations

from models.ssl.backbone import Backbone
from models.ssl.base import Method
from models.ssl.params import LEAST_IMAGES, Params


class CannotTrain(ValueError):
    """The method, its parameters and the collection do not go together."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def check_images(images: int) -> None:
    """Raises CannotTrain: too few images to learn from."""
    if images < LEAST_IMAGES:
        raise CannotTrain(
            "collection_too_small",
            f"Fine-tuning needs {LEAST_IMAGES} readable images or more, and there are {images}; add some first.",
        )


def check_network(method: type[Method], name: str, encoder: Backbone) -> None:
    """Raises CannotTrain: a method for vision transformers on another network."""
    from timm.models import VisionTransformer

    if "vit" in method.needs and not isinstance(encoder.network, VisionTransformer):
        raise CannotTrain("method_needs_vit", f"{name} needs a vision transformer as its base, such as dinov2-small.")


def fitting_batch(params: Params, images: int, *, chosen: bool = False) -> Params:
    """A batch that nobody chose shrinks to the training images; a chosen one must fit. Raises CannotTrain."""
    if params.batch_size <= images:
        return params
    if chosen or "batch_size" in params.model_fields_set:
        raise CannotTrain(
            "batch_too_large",
            f"batch_size is {params.batch_size}, but only {images} images are trained on; use that or less.",
        )
    return params.model_copy(update={"batch_size": images})


def check_share(batch_size: int, processes: int) -> None:
    """Raises CannotTrain: a batch that the processes cannot share equally."""
    if batch_size % processes:
        raise CannotTrain(
            "params_invalid",
            f"batch_size is {batch_size}, which {processes} processes cannot share equally; "
            f"use a multiple of {processes}.",
        )
