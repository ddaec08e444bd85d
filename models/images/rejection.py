"""Why a file is not accepted as a picture."""

from __future__ import annotations


class ImageRejected(Exception):
    """The bytes are not a picture that Roost keeps.

    code: image_corrupt, image_too_large, image_type_mismatch or image_type_unsupported, the stable codes of the API.
    detail: a sentence for the person who sent the file: what is wrong and what to do.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"
