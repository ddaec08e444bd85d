from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.ssl.blend import SHARES, blend, settle, snapshot
from models.ssl.fit import fit
from models.ssl.gallery import Gallery
from tests.models.ssl.runs import NARROW, shapes, small


def changed(state: dict[str, Tensor], by: float) -> dict[str, Tensor]:
    """Every number moved at random, by so many times what its tensor varies; counters by three."""
    torch.manual_seed(1)
    moved = {}
    for name, value in state.items():
        noise = torch.randn_like(value) * value.std().nan_to_num() if value.is_floating_point() else 3
        moved[name] = value + by * noise if value.is_floating_point() else value + noise
    return moved


def test_every_weight_and_statistic_lies_between_in_the_share_asked_for() -> None:
    encoder = small("simclr", **NARROW).encoder
    tuned, frozen = snapshot(encoder), changed(snapshot(encoder), 1.0)
    blend(encoder, tuned, frozen, 0.25)
    counters = 0
    for name, value in snapshot(encoder).items():
        if value.is_floating_point():
            torch.testing.assert_close(value, 0.75 * tuned[name] + 0.25 * frozen[name])
        else:
            counters += 1
            assert torch.equal(value, tuned[name])
    assert counters, "there are batch norms, and they count their batches"


@pytest.mark.parametrize(("damage", "share"), [(0.0, min(SHARES)), (0.5, max(SHARES))])
def test_it_goes_back_as_far_as_changed_views_ask(damage: float, share: float) -> None:
    """Not at all when nothing is lost by what was learnt, and far when it was harm."""
    method = small("simclr", frozen_share=None, **NARROW)
    encoder = method.encoder.eval()
    frozen = snapshot(encoder)
    encoder.tail.load_state_dict(changed(frozen, damage))
    tuned = snapshot(encoder)
    looks: list[int] = []
    gallery = Gallery(method, shapes(64), None, range(0, 64, 2), 0, lambda: looks.append(1))
    chosen, tried = settle(encoder, frozen, gallery, 0)
    assert chosen == share and set(tried) == set(SHARES) and looks
    for name, value in snapshot(encoder).items():
        mixed = torch.lerp(tuned[name], frozen[name], share) if value.is_floating_point() else tuned[name]
        torch.testing.assert_close(value, mixed)


def test_a_share_that_was_chosen_is_kept() -> None:
    whole, back = (small("simclr", images=32, epochs=1, frozen_share=share, **NARROW) for share in (0.0, 0.5))
    start = snapshot(back.encoder)
    for method in (whole, back):
        found = fit(method, shapes(32), shapes(8, seed=1))
        assert (found.frozen_share, found.tried) == (method.params.frozen_share, {})
    for name, value in snapshot(back.encoder).items():
        if value.is_floating_point():
            torch.testing.assert_close(value, torch.lerp(snapshot(whole.encoder)[name], start[name], 0.5))
