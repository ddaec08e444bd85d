"""MAE against lightly's encoder, decoder and targets, and against a loop over patches."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from lightly.models.modules.masked_vision_transformer_decoder_timm import MaskedVisionTransformerDecoderTIMM
from lightly.models.modules.masked_vision_transformer_timm import MaskedVisionTransformerTIMM
from lightly.models.utils import get_at_index, normalize_mean_var, patchify, repeat_token, set_at_index
from timm.models import VisionTransformer
from torch import Tensor, nn

from models.ssl.backbone import Backbone, NetworkUnsupported
from models.ssl.base import Setting
from models.ssl.methods.mae import MAE, Params, hidden_error, normalised, patches
from models.ssl.networks import resnet18_cifar, vit_tiny

SETTING = Setting(images=8, size=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
PATCH, COUNT = 8, 16


def vit(**options: Any) -> nn.Module:
    return VisionTransformer(
        img_size=32, patch_size=PATCH, embed_dim=64, depth=2, num_heads=1, num_classes=0, **options
    )


VITS = {
    "dynamic": lambda: vit_tiny(patch=PATCH, dim=64, depth=2)[0],
    "registers": lambda: vit(reg_tokens=3, no_embed_class=True),
    "averaged": lambda: vit(class_token=False, global_pool="avg"),
}


def tiny(kind: str = "dynamic", train_blocks: Any = "all") -> MAE:
    torch.manual_seed(0)
    network = VITS[kind]()
    params = Params(train_blocks=train_blocks, decoder_dim=32)
    return MAE(Backbone(network, 64, train_blocks, "frozen"), params, SETTING).train()


def images(count: int = 3, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(count, 3, 32, 32, dtype=dtype, generator=torch.Generator().manual_seed(1))


def masking(count: int = 3) -> tuple[Tensor, Tensor]:
    order = torch.rand(count, COUNT, generator=torch.Generator().manual_seed(2)).argsort(1)
    return order[:, :4], order[:, 4:]


def oracle(method: MAE, pictures: Tensor, seen: Tensor, hidden: Tensor) -> Tensor:
    """lightly's modules with the method's own weights, put together as in lightly's example of MAE."""
    extra, decoder = method.decoder.extra, method.decoder
    network = method.encoder.network
    encode = MaskedVisionTransformerTIMM(network, weight_initialization="skip", pos_embed_initialization="skip")
    decode = MaskedVisionTransformerDecoderTIMM(COUNT, 32, 2, 1, extra, initialize_weights=False)
    decode.blocks, decode.norm, decode.mask_token = decoder.blocks, decoder.norm, decoder.mask_token
    decode.pos_embed.data = nn.functional.pad(decoder.positions, (0, 0, extra, 0))[None]
    first = torch.arange(extra).expand(len(seen), -1)
    kept, masked = torch.cat([first, seen + extra], 1), hidden + extra
    tokens = decoder.embed(encode.double().encode(pictures, idx_keep=kept))
    whole = set_at_index(repeat_token(decode.mask_token, (len(seen), COUNT + extra)), kept, tokens)
    painted = decoder.predict(get_at_index(decode(whole), masked))
    target = normalize_mean_var(get_at_index(patchify(pictures, PATCH), masked - extra))
    return nn.functional.mse_loss(painted, target)


@pytest.mark.parametrize("kind", ["dynamic", "registers", "averaged"])
def test_loss_and_gradient_are_those_of_lightly(kind: str) -> None:
    method = tiny(kind).double()
    torch.manual_seed(7)
    loss = method.loss({"view": images()})["loss"]
    torch.manual_seed(7)
    order = torch.rand(3, COUNT).argsort(1)
    expected = oracle(method, images(), order[:, :4], order[:, 4:])
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    trained = [p for name, p in method.named_parameters() if p.requires_grad and "fc_norm" not in name]
    for ours, theirs in zip(torch.autograd.grad(loss, trained), torch.autograd.grad(expected, trained), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-9)


def test_error_is_that_of_a_loop_over_hidden_patches() -> None:
    pictures, (_, hidden) = images(), masking()
    painted = torch.randn(3, COUNT, 3 * PATCH**2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    errors = []
    for picture, guesses, chosen in zip(pictures, painted, hidden.tolist(), strict=True):
        for number in chosen:
            row, column = divmod(number, 32 // PATCH)
            patch = picture[:, row * PATCH : (row + 1) * PATCH, column * PATCH : (column + 1) * PATCH]
            guess = guesses[number].reshape(PATCH, PATCH, 3).permute(2, 0, 1)
            contrast = (patch - patch.mean()) / (patch.var() + 1e-6) ** 0.5
            errors.append(((guess - contrast) ** 2).sum() / patch.numel())
    expected = sum(errors) / len(errors)
    assert hidden_error(painted, normalised(patches(pictures, PATCH)), hidden).item() == pytest.approx(expected.item())


def test_patches_that_are_seen_add_no_loss() -> None:
    painted = torch.randn(3, COUNT, 3 * PATCH**2, dtype=torch.float64).requires_grad_()
    seen, hidden = masking()
    hidden_error(painted, normalised(patches(images(), PATCH)), hidden).backward()
    moved = painted.grad.abs().sum(2)
    assert not moved.gather(1, seen).any()
    assert (moved.gather(1, hidden) > 0).all()


@pytest.mark.parametrize("kind", ["dynamic", "registers", "averaged"])
def test_hidden_pixels_do_not_reach_the_encoder(kind: str) -> None:
    method, (seen, hidden) = tiny(kind), masking()
    pictures = images(dtype=torch.float32)
    other = pictures.clone()
    for picture, chosen in zip(other, hidden.tolist(), strict=True):
        for number in chosen:
            row, column = divmod(number, 32 // PATCH)
            picture[:, row * PATCH : (row + 1) * PATCH, column * PATCH : (column + 1) * PATCH] = 9.0
    latent = method.encode(pictures, seen)
    assert latent.shape == (3, method.decoder.extra + 4, 64)
    assert torch.equal(latent, method.encode(other, seen))
    assert not torch.equal(latent, method.encode(other.flip(3), seen))


def test_each_picture_hides_three_quarters_of_its_own() -> None:
    method = tiny()
    assert (method.count, method.visible) == (COUNT, 4)
    shown: list[Tensor] = []
    method.decoder.register_forward_pre_hook(lambda _, arguments: shown.append(arguments[1]))
    for _ in range(2):
        method.loss({"view": images(8, torch.float32)})
    assert all(len(set(row)) == 4 for seen in shown for row in seen.tolist())
    assert len({tuple(sorted(row)) for row in shown[0].tolist()}) > 1
    assert not torch.equal(*shown)


def test_frozen_blocks_get_no_gradient_and_no_graph() -> None:
    method = tiny(train_blocks=1)
    method.loss({"view": images(dtype=torch.float32)})["loss"].backward()
    network = method.encoder.network
    assert all(p.grad is None for p in network.blocks[0].parameters())
    assert network.pos_embed.grad is None and network.patch_embed.proj.weight.grad is None
    assert all(p.grad is not None and p.grad.any() for p in network.blocks[1].mlp.parameters())
    assert method.decoder.mask_token.grad.any()


def test_it_learns_to_fill_in_what_repeats() -> None:
    """Pictures whose patches are all alike: what is hidden can be copied from what is seen."""
    method = tiny()
    optimizer = torch.optim.AdamW(method.param_groups(), lr=3e-3)
    losses = []
    for step in range(60):
        torch.manual_seed(step)
        view = torch.randn(4, 3, PATCH, PATCH, generator=torch.Generator().manual_seed(0)).repeat(1, 1, 4, 4)
        loss = method.loss({"view": view})["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 0.9
    assert losses[-1] < 0.7  # 1 is the error of a guess that knows nothing of its patch


def test_views_are_crops_at_the_encoders_scale() -> None:
    view = tiny().views()["view"]
    picture = torch.full((3, 40, 50), 255, dtype=torch.uint8)
    assert torch.equal(view(picture), torch.full((3, 32, 32), 2.0))


@pytest.mark.parametrize(("network", "size"), [(resnet18_cifar(8), 32), (vit_tiny(patch=16, dim=64, depth=1), 40)])
def test_networks_without_whole_patches_are_refused(network: tuple[nn.Module, int], size: int) -> None:
    setting = Setting(images=8, size=size, mean=SETTING.mean, std=SETTING.std)
    with pytest.raises(NetworkUnsupported, match="mae needs"):
        MAE(Backbone(*network), Params(), setting)
