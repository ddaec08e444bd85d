"""What is known as a memory that is full."""

import pytest
import torch

from models.memory import no_memory


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("std::bad_alloc")]
)
def test_no_memory(error: Exception) -> None:
    assert no_memory(error)
    hidden = ValueError("a library's own words")
    hidden.__context__ = error
    assert no_memory(hidden)


def test_what_pytorch_says_where_the_machine_has_none() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert no_memory(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("a shape that does not fit"), OSError(28, "No space left"), None])
def test_other_errors(error: Exception | None) -> None:
    assert not no_memory(error)
