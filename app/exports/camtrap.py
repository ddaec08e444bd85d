"""Camtrap DP 1.0 (https://camtrap-dp.tdwg.org): a zip of datapackage.json and three tables.

Each folder that images came in is a deployment, or the camera where there is no folder. What Roost can't know is said
so in the standard's own terms: a place that is unknown is somewhere on Earth (0, 0 give or take half its girth), and
a time whose zone is unknown, or which is that of the upload, is marked as an issue.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.exports.camtrap_tables import STANDARD, TABLES, resource
from app.exports.names import last_part
from app.exports.repository import Exported
from app.exports.service import Export
from app.exports.zipped import Entry, zipped
from app.spreadsheet import lines

HALF_GIRTH_M = 20_037_509  # of the Earth at the equator
UNPLACED = "unplaced"  # the deployment of images with neither folder nor camera
KINDS = {
    "blank": "blank", "empty": "blank", "nothing": "blank", "human": "human", "person": "human", "people": "human",
    "vehicle": "vehicle", "car": "vehicle", "unknown": "unknown",
}  # fmt: skip
BINOMIAL = re.compile(r"[A-Z][a-z]+ [a-z]{2,}( [a-z]{2,})?")
Row = dict[str, Any]


@dataclass(frozen=True)
class Described:
    """What a person says of the whole: `place` is (latitude, longitude), `labels` the clusters' names."""

    title: str
    description: str | None
    made_at: datetime
    classified_by: str
    files: str  # address of an image's file, {} for its id
    place: tuple[float, float] | None
    labels: dict[int, str | None]
    linked: bool


@dataclass
class Deployment:
    start: datetime
    end: datetime
    cameras: set[str]
    uploaded: bool = False  # whether a time is that of an upload


def as_camtrap(export: Export, described: Described) -> Iterator[bytes]:
    deployments = _deployments(export)
    tables: dict[str, Iterable[Row]] = {
        "deployments": (_deployment(name, one, described) for name, one in deployments.items()),
        "media": (_medium(image, described) for _, image in export.placed()),
        "observations": (_observation(image, described) for _, image in export.placed()),
    }
    package = json.dumps(_package(described, deployments), indent=1).encode()
    entries: list[Entry] = [("datapackage.json", described.made_at, [package])]
    entries += [(f"{name}.csv", described.made_at, _csv(name, rows)) for name, rows in tables.items()]
    return zipped(entries)


def _deployments(export: Export) -> dict[str, Deployment]:
    found: dict[str, Deployment] = {}
    for _, image in export.placed():
        moment = _moment(image)
        one = found.setdefault(_deployment_of(image), Deployment(moment, moment, set()))
        one.start, one.end = min(one.start, moment), max(one.end, moment)
        one.uploaded |= image.taken_at is None
        if image.camera:
            one.cameras.add(image.camera)
    return found


def _deployment_of(image: Exported) -> str:
    folder = image.name.rstrip("/").rpartition("/")[0]
    return folder or image.camera or UNPLACED


def _moment(image: Exported) -> datetime:
    return image.taken_at or image.created_at


def _deployment(name: str, one: Deployment, described: Described) -> Row:
    latitude, longitude = described.place or (0, 0)
    comments = ["The camera's time zone is unknown; without one its clock was taken to show UTC."]
    if not described.place:
        comments.append("Where the camera stood is unknown.")
    if one.uploaded:
        comments.append("Where an image does not say when it was taken, the time of its upload stands.")
    return {
        "deploymentID": name,
        "locationName": name if name != UNPLACED else "",
        "latitude": latitude,
        "longitude": longitude,
        "coordinateUncertainty": "" if described.place else HALF_GIRTH_M,
        "deploymentStart": _text(one.start),
        "deploymentEnd": _text(one.end),
        "cameraModel": one.cameras.copy().pop() if len(one.cameras) == 1 else "",
        "timestampIssues": "true",
        "deploymentComments": " ".join(comments),
    }


def _medium(image: Exported, described: Described) -> Row:
    return {
        "mediaID": str(image.image_id),
        "deploymentID": _deployment_of(image),
        "timestamp": _text(_moment(image)),
        "filePath": described.files.format(image.image_id),
        "filePublic": "false",
        "fileName": last_part(image.name),
        "fileMediatype": f"image/{image.format}",
        "mediaComments": "" if image.taken_at else "The time is that of the upload.",
    }


def _observation(image: Exported, described: Described) -> Row:
    label = None if image.number is None else described.labels.get(image.number)
    kind = KINDS.get(label.casefold(), "animal") if label else "unclassified"
    place = f"cluster:{image.number}" if image.number is not None else ""
    row = {
        "observationID": str(image.image_id),
        "deploymentID": _deployment_of(image),
        "mediaID": str(image.image_id),
        "eventStart": _text(_moment(image)),
        "eventEnd": _text(_moment(image)),
        "observationLevel": "media",
        "observationType": kind,
        "scientificName": _scientific(label) or "",
        "observationTags": " | ".join(filter(None, (place, label and f"label:{label.replace('|', '/')}"))),
    }
    if not label:
        return row
    return row | {"classificationMethod": "machine", "classifiedBy": described.classified_by}


def _scientific(label: str | None) -> str | None:
    return label if label and BINOMIAL.fullmatch(label) else None


def _csv(name: str, rows: Iterable[Row]) -> Iterator[bytes]:
    columns = [column for column, _, _ in TABLES[name][0]]
    return lines(columns, ([row.get(column) for column in columns] for row in rows), end="\n")


def _package(described: Described, deployments: dict[str, Deployment]) -> dict[str, Any]:
    starts, ends = [one.start for one in deployments.values()], [one.end for one in deployments.values()]
    names = sorted({name for label in described.labels.values() if (name := _scientific(label))})
    package: dict[str, Any] = {
        "name": re.sub("[^a-z0-9._-]+", "-", described.title.lower()).strip("-._") or "collection",
        "title": described.title,
        "profile": f"{STANDARD}/camtrap-dp-profile.json" if described.linked else "tabular-data-package",
        "created": _text(described.made_at),
        "contributors": [{"title": "Roost", "role": "contributor"}],
        "project": {
            "title": described.title,
            "samplingDesign": "opportunistic",
            "captureMethod": ["activityDetection"],
            "individualAnimals": False,
            "observationLevel": ["media"],
        },
        "spatial": _spatial(described.place),
        "temporal": {
            "start": min(starts, default=described.made_at).date().isoformat(),
            "end": max(ends, default=described.made_at).date().isoformat(),
        },
        "taxonomic": [{"scientificName": name} for name in names],
        "resources": [resource(name, linked=described.linked) for name in TABLES],
    }
    return package | ({"description": described.description} if described.description else {})


def _spatial(place: tuple[float, float] | None) -> dict[str, Any]:
    """GeoJSON: the point, or the whole Earth."""
    if place:
        return {"type": "Point", "coordinates": [place[1], place[0]]}
    ring = [[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]
    return {"type": "Polygon", "coordinates": [ring]}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
