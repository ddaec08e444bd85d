"""What every method lets a person choose; a method's own Params add to these and may set other defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

LEAST_IMAGES = 32  # to learn from


class Params(BaseModel):
    """Of a fine-tuning. The schema of this class is the API's and the page's form."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(10, ge=1, le=10_000, description="Passes over the gallery.")
    max_minutes: float | None = Field(
        10.0, gt=0, description="Wall-clock budget of the training; the schedule shrinks to fit into it. null: none."
    )
    batch_size: int = Field(64, ge=2, le=65_536, description="Images a step, over all processes together.")
    lr: float = Field(3e-4, gt=0, le=10, description="Peak learning rate of AdamW.")
    weight_decay: float = Field(0.05, ge=0, le=1, description="AdamW's; not for biases and norms.")
    warmup: float = Field(0.1, ge=0, le=0.9, description="Share of the steps in which the learning rate rises.")
    clip: float = Field(3.0, gt=0, description="Largest norm of the gradient.")
    train_blocks: Annotated[int, Field(ge=1)] | Literal["all"] = Field(
        1, description="How many blocks at the encoder's end are trained, with what follows them; all: every one."
    )
    norm: Literal["frozen", "trained"] = Field(
        "frozen", description="frozen keeps the encoder's batch norm statistics, right for pretrained weights."
    )
    crop: float = Field(0.3, gt=0, le=1, description="Least share of the picture's area that a random crop keeps.")
    cached_views: int = Field(
        6,
        ge=0,
        le=64,
        description="Views an image that pass the frozen blocks once, ahead; 0: new ones each time.",
    )
    frozen_share: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Of the frozen weights in the encoder that is kept; null: the one that suits the gallery.",
    )
    seed: int = Field(0, ge=0, lt=2**31, description="The same seed and pictures give the same encoder on a CPU.")
