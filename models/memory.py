"""One word for a memory that is full, the device's or the machine's, whoever says it."""

from __future__ import annotations

# PyTorch's own words where it raises a plain RuntimeError, and those of C++ as OpenVINO hands them on
_SAID = ("out of memory", "can't allocate memory", "std::bad_alloc", "CL_OUT_OF_RESOURCES")


def no_memory(error: BaseException | None) -> bool:
    """Whether this error, or one behind it, is about memory that could not be had. torch need not be imported."""
    while error is not None:
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            return True
        if isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID):
            return True
        error = error.__context__
    return False
