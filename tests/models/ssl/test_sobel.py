"""The Sobel filter against plain loops."""

import torch

from models.ssl.base import Setting
from models.ssl.sobel import Sobel

SETTING = Setting(images=1, size=6, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))


def test_edges_are_those_of_plain_loops_on_the_grey_picture() -> None:
    view = torch.randn(1, 3, 6, 6, dtype=torch.float64)
    pixels = view[0] * torch.tensor(SETTING.std, dtype=torch.float64)[:, None, None]
    grey = pixels.sum(0) / sum(SETTING.std)
    edges = Sobel(SETTING).double()(view)[0]
    for y in range(1, 5):
        for x in range(1, 5):
            right = sum(w * (grey[y + d, x + 1] - grey[y + d, x - 1]) for d, w in ((-1, 1), (0, 2), (1, 1)))
            down = sum(w * (grey[y + 1, x + d] - grey[y - 1, x + d]) for d, w in ((-1, 1), (0, 2), (1, 1)))
            expected = torch.stack([right, down, (right**2 + down**2).sqrt()])
            torch.testing.assert_close(edges[:, y, x], expected, rtol=1e-5, atol=1e-6)
    assert not Sobel(SETTING)(torch.ones(2, 3, 8, 8)).abs().max() > 1e-6  # nor at the border
