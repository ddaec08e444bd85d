"""The audit log as the API shows it."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class AuditRecordOut(BaseModel):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "id": "0199c0de-0000-7000-8000-000000000031",
                "at": "2026-05-01T12:00:00Z",
                "owner_id": "0199c0de-0000-7000-8000-000000000021",
                "key_id": "0199c0de-0000-7000-8000-000000000022",
                "action": "deleteCollection",
                "path": "/v1/collections/0199c0de-0000-7000-8000-000000000001",
                "status": 204,
                "request_id": "0199c0de-0000-7000-8000-000000000032",
                "address": "192.0.2.7",
            }
        },
    )

    id: UUID
    at: datetime
    owner_id: UUID | None = Field(description="Who called; null where nobody was known, and for commands.")
    key_id: UUID | None = Field(description="With which key; null without one.")
    action: str = Field(description="The operation's id in the OpenAPI text, or the command.")
    path: str = Field(description="Without the query; of a command what it changed.")
    status: int = Field(description="The answer's status, refusals too; 0 for a command.")
    request_id: str | None = Field(description="The X-Request-Id of the answer.")
    address: str | None = Field(description="Of who connected, which may be a proxy.")
