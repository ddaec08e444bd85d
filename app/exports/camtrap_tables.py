"""The columns of Camtrap DP 1.0's three tables as Table Schemas, https://camtrap-dp.tdwg.org/data.

All columns of the standard are there, since readers look for them; those about which Roost knows nothing stay empty.
"""

from typing import Any

STANDARD = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0"
MOMENT = "%Y-%m-%dT%H:%M:%S%z"
REQUIRED = {"required": True}
KEY = {"required": True, "unique": True}

Column = tuple[str, str, dict[str, Any]]  # name, type, constraints


def _enum(*values: str, **more: Any) -> dict[str, Any]:
    return {"enum": list(values)} | more


def _between(least: float, most: float | None = None, **more: Any) -> dict[str, Any]:
    return {"minimum": least} | ({} if most is None else {"maximum": most}) | more


DEPLOYMENTS: list[Column] = [
    ("deploymentID", "string", KEY),
    ("locationID", "string", {}),
    ("locationName", "string", {}),
    ("latitude", "number", _between(-90, 90, required=True)),
    ("longitude", "number", _between(-180, 180, required=True)),
    ("coordinateUncertainty", "integer", _between(1)),
    ("deploymentStart", "datetime", REQUIRED),
    ("deploymentEnd", "datetime", REQUIRED),
    ("setupBy", "string", {}),
    ("cameraID", "string", {}),
    ("cameraModel", "string", {}),
    ("cameraDelay", "integer", _between(0)),
    ("cameraHeight", "number", _between(0)),
    ("cameraDepth", "number", _between(0)),
    ("cameraTilt", "integer", _between(-90, 90)),
    ("cameraHeading", "integer", _between(0, 360)),
    ("detectionDistance", "number", _between(0)),
    ("timestampIssues", "boolean", {}),
    ("baitUse", "boolean", {}),
    ("featureType", "string", {}),
    ("habitat", "string", {}),
    ("deploymentGroups", "string", {}),
    ("deploymentTags", "string", {}),
    ("deploymentComments", "string", {}),
]
MEDIA: list[Column] = [
    ("mediaID", "string", KEY),
    ("deploymentID", "string", REQUIRED),
    ("captureMethod", "string", _enum("activityDetection", "timeLapse")),
    ("timestamp", "datetime", REQUIRED),
    ("filePath", "string", {"required": True, "pattern": r"^(?=^[^./~])(^((?!\.{2}).)*$).*$"}),
    ("filePublic", "boolean", REQUIRED),
    ("fileName", "string", {}),
    ("fileMediatype", "string", {"required": True, "pattern": "^(image|video|audio)/.*$"}),
    ("exifData", "object", {}),
    ("favorite", "boolean", {}),
    ("mediaComments", "string", {}),
]
OBSERVATIONS: list[Column] = [
    ("observationID", "string", KEY),
    ("deploymentID", "string", REQUIRED),
    ("mediaID", "string", {}),
    ("eventID", "string", {}),
    ("eventStart", "datetime", REQUIRED),
    ("eventEnd", "datetime", REQUIRED),
    ("observationLevel", "string", _enum("media", "event", required=True)),
    (
        "observationType",
        "string",
        _enum("animal", "human", "vehicle", "blank", "unknown", "unclassified", required=True),
    ),
    ("cameraSetupType", "string", _enum("setup", "calibration")),
    ("scientificName", "string", {}),
    ("count", "integer", _between(1)),
    ("lifeStage", "string", _enum("adult", "subadult", "juvenile")),
    ("sex", "string", _enum("female", "male")),
    ("behavior", "string", {}),
    ("individualID", "string", {}),
    ("individualPositionRadius", "number", _between(0)),
    ("individualPositionAngle", "number", _between(-90, 90)),
    ("individualSpeed", "number", _between(0)),
    ("bboxX", "number", _between(0, 1)),
    ("bboxY", "number", _between(0, 1)),
    ("bboxWidth", "number", _between(1e-15, 1)),
    ("bboxHeight", "number", _between(1e-15, 1)),
    ("classificationMethod", "string", _enum("human", "machine")),
    ("classifiedBy", "string", {}),
    ("classificationTimestamp", "datetime", {}),
    ("classificationProbability", "number", _between(0, 1)),
    ("observationTags", "string", {}),
    ("observationComments", "string", {}),
]
TABLES: dict[str, tuple[list[Column], dict[str, str]]] = {  # columns, and which of them are keys of other tables
    "deployments": (DEPLOYMENTS, {}),
    "media": (MEDIA, {"deploymentID": "deployments"}),
    "observations": (OBSERVATIONS, {"deploymentID": "deployments", "mediaID": "media"}),
}


def resource(name: str, *, linked: bool) -> dict[str, Any]:
    """A table's entry in datapackage.json, its schema written out or, as the standard has it, by its address."""
    entry = {"name": name, "path": f"{name}.csv", "profile": "tabular-data-resource", "encoding": "utf-8"}
    return entry | {"schema": f"{STANDARD}/{name}-table-schema.json" if linked else _schema(name)}


def _schema(name: str) -> dict[str, Any]:
    columns, keys = TABLES[name]
    references = [
        {"fields": column, "reference": {"resource": table, "fields": column}} for column, table in keys.items()
    ]
    schema: dict[str, Any] = {
        "fields": [_field(*column) for column in columns],
        "missingValues": [""],
        "primaryKey": columns[0][0],
    }
    return schema | ({"foreignKeys": references} if references else {})


def _field(name: str, kind: str, constraints: dict[str, Any]) -> dict[str, Any]:
    form = {"format": MOMENT} if kind == "datetime" else {}
    return {"name": name, "type": kind} | form | ({"constraints": constraints} if constraints else {})
