"""COCO, as far as it tells of whole images: images, categories, and annotations without boxes."""

import json
from collections.abc import Iterable, Iterator

from app.exports.service import Export


def as_coco(export: Export) -> Iterator[bytes]:
    """One JSON object, streamed. A category is a cluster; `file_name` is the path that the zip has."""
    folders = export.folders()
    info = {"description": "Clusters made by Roost", "clustering_id": str(export.clustering_id)}
    categories = (
        {"id": number + 1, "name": folder, "supercategory": "cluster"}
        for number, folder in folders.items()
        if number is not None
    )
    yield b'{"info": ' + json.dumps(info).encode() + b', "licenses": []'
    yield from _array("categories", categories)
    yield from _array("images", _images(export))
    yield from _array("annotations", _annotations(export))
    yield b"}\n"


def _images(export: Export) -> Iterator[dict[str, object]]:
    for place, (path, image) in enumerate(export.placed(), start=1):
        yield {
            "id": place,
            "file_name": path,
            "width": image.width,
            "height": image.height,
            "date_captured": image.taken_at.isoformat() if image.taken_at else None,
            "original_name": image.name,
            "roost_id": str(image.image_id),
        }


def _annotations(export: Export) -> Iterator[dict[str, object]]:
    for place, (_, image) in enumerate(export.placed(), start=1):
        if image.number is not None:
            yield {"id": place, "image_id": place, "category_id": image.number + 1}


def _array(name: str, items: Iterable[dict[str, object]]) -> Iterator[bytes]:
    start = f', "{name}": [\n'
    empty = True
    for item in items:
        yield (start if empty else ",\n").encode() + json.dumps(item).encode()
        empty = False
    yield (start if empty else "").encode() + b"]"
