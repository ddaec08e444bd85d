"""Keys and log-ins as they are sent and shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictInt

from app.db.caller import Scope
from app.text import Line, Sought

_KEY: dict[str, JsonValue] = {
    "id": "0199c0de-7a10-7000-8000-000000000001",
    "name": "camera trap script",
    "owner": "local",
    "scope": "write",
    "state": "valid",
    "created_at": "2026-05-01T12:00:00Z",
    "expires_at": None,
}


class KeyIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "camera trap script", "scope": "write"}}
    )

    name: Line = Field(description="What the key is for, to know it by.")
    scope: Scope = Field(
        "write", description="read looks, write changes, admin manages keys; each includes those before."
    )
    owner: Line | None = Field(None, description="Whose collections it opens; by default the caller's.")
    expires_days: StrictInt | None = Field(
        None, ge=1, le=3650, description="For how many days it holds; null for ever."
    )


class KeyOut(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": _KEY})

    id: UUID
    name: str
    owner: str
    scope: Scope
    state: Literal["valid", "expired", "revoked"]
    created_at: datetime
    expires_at: datetime | None


class NewKeyOut(KeyOut):
    model_config = ConfigDict(json_schema_extra={"example": {**_KEY, "key": "roost_..."}})

    key: str = Field(description="The key itself. It is shown this once and stored nowhere.")


class LogInIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"key": "roost_..."}})

    key: Sought


class MeOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"example": {"owner": "local", "scope": "admin", "key": "laptop", "open": False}}
    )

    owner: str = Field(description="Whose collections are seen.")
    scope: Scope
    key: str | None = Field(description="The name of the key in use; null where nobody needs one.")
    open: bool = Field(description="Whether everybody may do everything: nobody needs a key.")
