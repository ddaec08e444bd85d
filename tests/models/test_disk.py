"""What counts as a full disk, however a library words it."""

from pathlib import Path

import numpy as np
import pytest

from models.disk import no_space


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_array_that_a_full_disk_cuts_short() -> None:
    with pytest.raises(OSError) as caught, open("/dev/full", "wb") as file:
        np.zeros(100_000).tofile(file)
    assert caught.value.errno is None, "NumPy names no reason"
    assert no_space(caught.value)


def test_other_errors_without_a_number_are_no_full_disk() -> None:
    assert not no_space(OSError("12 requested and 3 written, or so they say"))
    assert not no_space(ValueError("12 requested and 3 written"))
