from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.embedding import AHEAD, WorkingCopyUnreadable, embed, load_pixels
from models.engines.base import Pixels, Vectors
from models.engines.fake import FakeEngine
from models.engines.openvino import OpenVinoEngine
from tests.models.conftest import Conversion


def decoders() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("decode")]


def counted(paths: Iterable[Path], taken: list[Path]) -> Iterator[Path]:
    for path in paths:
        taken.append(path)
        yield path


def jpeg(width: int, height: int, mode: str = "RGB") -> bytes:
    columns = np.tile(np.linspace(0, 255, width), (height, 1)).astype(np.uint8)
    picture = Image.fromarray(columns).convert(mode)
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=95)
    return stream.getvalue()


def test_pixels_are_the_centre_of_the_exact_decoding(working_copies: list[Path]) -> None:
    for path in working_copies[:2]:
        whole = simplejpeg.decode_jpeg(path.read_bytes())
        top, left = (whole.shape[0] - 224) // 2, (whole.shape[1] - 224) // 2
        np.testing.assert_array_equal(load_pixels(path, 224), whole[top : top + 224, left : left + 224])
        np.testing.assert_array_equal(load_pixels(path.read_bytes(), 224), load_pixels(path, 224))


@pytest.mark.parametrize(
    ("width", "height"), [(1024, 700), (64, 48), (255, 256), (256, 256), (2560, 256), (100, 1), (1, 100)]
)
@pytest.mark.parametrize("size", [224, 256, 288])
def test_pixels_of_any_size(width: int, height: int, size: int) -> None:
    pixels = load_pixels(jpeg(width, height), size)
    assert pixels.shape == (size, size, 3) and pixels.dtype == np.uint8


def test_another_short_side_is_scaled_to_that_of_a_working_copy() -> None:
    small, exact = load_pixels(jpeg(512, 512), 224), load_pixels(jpeg(256, 256), 224)
    assert np.abs(small.astype(int) - exact).mean() < 2


def test_a_grey_jpeg_has_three_channels() -> None:
    pixels = load_pixels(jpeg(300, 256, "L"), 224)
    assert (pixels[..., 0] == pixels[..., 2]).all() and pixels.std() > 10


@given(st.integers(min_value=0))
def test_a_cut_working_copy_is_unreadable(length: int) -> None:
    data = jpeg(300, 256)
    with pytest.raises(WorkingCopyUnreadable):
        load_pixels(data[: length % (len(data) - 2)], 224)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    Image.new("RGB", (256, 256)).save(tmp_path / "png.jpg", "PNG")
    for name in ("missing.jpg", "text.jpg", "png.jpg", "."):
        with pytest.raises(WorkingCopyUnreadable, match="cannot be read") as caught:
            load_pixels(tmp_path / name, 224)
        assert caught.value.path == tmp_path / name


@pytest.mark.parametrize("threads", [None, 1, 3])
@pytest.mark.parametrize("count", [0, 1, 8, 9, 21])
def test_embeddings_come_in_order(working_copies: list[Path], threads: int | None, count: int) -> None:
    engine = FakeEngine()
    paths = working_copies[:count]
    batches = list(embed(paths, engine, decoders=threads))
    assert sum(len(batch) for batch in batches) == count
    expected = [next(engine.run([load_pixels(path, 224)[None]])) for path in paths]
    for row, one in zip((row for batch in batches for row in batch), expected, strict=True):
        np.testing.assert_allclose(row, one[0], atol=1e-6)
    assert decoders() == []


def test_a_real_engine_gives_the_same_through_files(lite0: Conversion, working_copies: list[Path]) -> None:
    engine = OpenVinoEngine(lite0.ir, precision="f32")
    vectors = np.concatenate(list(embed(working_copies, engine)))
    for path, vector in list(zip(working_copies, vectors, strict=True))[::5]:
        (alone,) = engine.run([load_pixels(path, 224)[None]])
        assert float(alone[0] @ vector) > 0.9999


def test_stopping_early_leaves_no_threads(working_copies: list[Path]) -> None:
    taken: list[Path] = []
    results = embed(counted(working_copies * 50, taken), FakeEngine(batch=2), decoders=2)
    assert taken == []
    next(results)
    assert decoders() != []
    assert len(taken) <= 2 * (AHEAD + 2), "a bounded number of pictures is decoded ahead"
    results.close()  # type: ignore[attr-defined]
    assert decoders() == []


def test_decoding_runs_ahead_of_the_engine(working_copies: list[Path]) -> None:
    taken: list[Path] = []
    seen: list[int] = []

    class Watching(FakeEngine):
        def run(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
            for pixels in batches:
                seen.append(len(taken))
                yield from super().run([pixels])

    list(embed(counted(working_copies, taken), Watching(batch=1), decoders=1))
    assert seen[0] > AHEAD, "while the engine has the first batch, the next ones are being decoded"


def test_a_damaged_file_stops_at_its_turn(working_copies: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(working_copies[3].read_bytes()[:2000])
    results = embed([*working_copies[:9], broken, *working_copies[9:]], FakeEngine(batch=4))
    assert [len(next(results)), len(next(results))] == [4, 4]
    with pytest.raises(WorkingCopyUnreadable) as caught:
        next(results)
    assert caught.value.path == broken
    assert decoders() == []


def test_an_error_of_the_engine_or_the_paths_ends_the_threads(working_copies: list[Path]) -> None:
    class Failing(FakeEngine):
        def run(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
            yield next(super().run(batches))
            raise RuntimeError("device lost")

    with pytest.raises(RuntimeError, match="device lost"):
        list(embed(working_copies, Failing()))
    with pytest.raises(ZeroDivisionError):
        list(embed((path for path in working_copies if 1 / (path != working_copies[10])), FakeEngine()))
    assert decoders() == []
