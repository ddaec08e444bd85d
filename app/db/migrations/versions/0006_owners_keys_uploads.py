"""owners, keys, resumable uploads, and embedding shared between workers."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LOCAL = "00000000000000000000000000000001"  # whose everything is that was there before


def upgrade() -> None:
    owners = op.create_table("owners",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quota_bytes", sa.BigInteger(), nullable=True),
        sa.Column("quota_images", sa.Integer(), nullable=True),
        sa.Column("quota_jobs", sa.Integer(), nullable=True),
        sa.Column("used_bytes", sa.BigInteger(), nullable=False),
        sa.Column("used_images", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name")
    )
    op.execute(
        sa.text(
            "INSERT INTO owners (id, name, used_bytes, used_images, created_at)"
            f" SELECT '{LOCAL}', 'local', coalesce(sum(bytes), 0), count(*), :now FROM images"
        ).bindparams(sa.bindparam("now", datetime.now(UTC), sa.DateTime(timezone=True)))
    )
    op.create_table("api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(length=5), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256")
    )
    op.create_index("ix_api_keys_owner_id", "api_keys", ["owner_id"])

    op.create_table("log_ins",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sha256")
    )
    op.create_index("ix_log_ins_key_id", "log_ins", ["key_id"])

    op.create_table("audit_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id")
    )
    op.create_index("ix_audit_records_owner", "audit_records", ["owner_id", "id"])

    op.create_table("uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("described", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id")
    )
    op.create_index("ix_uploads_collection_id", "uploads", ["collection_id"])

    op.create_table("upload_pieces",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("upload_id", "start")
    )
    op.create_table("embedding_parts",
        sa.Column("set_id", sa.Uuid(), nullable=False),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("shard_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["set_id"], ["embedding_sets.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("set_id", "first_id")
    )
    owned = sa.text(f"'{LOCAL}'")
    op.add_column("collections", sa.Column("owner_id", sa.Uuid(), server_default=owned, nullable=False))
    op.create_index("ix_collections_owner_id", "collections", ["owner_id"])
    op.add_column("jobs", sa.Column("owner_id", sa.Uuid(), server_default=owned, nullable=False))
    op.add_column("jobs", sa.Column("traceparent", sa.Text(), nullable=True))
    op.create_index("ix_jobs_owner", "jobs", ["owner_id", "state", "id"])


def downgrade() -> None:
    op.drop_index("ix_jobs_owner", "jobs")
    op.drop_column("jobs", "traceparent")
    op.drop_column("jobs", "owner_id")
    op.drop_index("ix_collections_owner_id", "collections")
    op.drop_column("collections", "owner_id")
    for table in ("embedding_parts", "upload_pieces", "uploads", "audit_records", "log_ins", "api_keys", "owners"):
        op.drop_table(table)
