"""fine-tuned encoders."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "encoder_measures",
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("encoder_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("held_out", sa.String(length=64), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["encoder_id"], ["encoders.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("collection_id", "encoder_id"),
    )
    op.create_index("ix_encoder_measures_encoder_id", "encoder_measures", ["encoder_id"], unique=False)

    # Not in a batch: that may make a new table, and dropping the old one would cascade to all that refers to it.
    op.add_column("encoders", sa.Column("key", sa.Text(), nullable=True))
    op.add_column("encoders", sa.Column("sha256", sa.String(length=64), nullable=True))
    op.add_column("encoders", sa.Column("ir_sha256", sa.String(length=64), nullable=True))
    op.add_column("encoders", sa.Column("seed", sa.Integer(), nullable=True))
    op.add_column("encoders", sa.Column("fingerprint", sa.String(length=64), nullable=True))
    op.add_column("encoders", sa.Column("images", sa.Integer(), nullable=True))
    op.add_column("encoders", sa.Column("versions", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("encoders", sa.Column("metrics", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("encoders", sa.Column("recommended", sa.Boolean(), nullable=True))
    op.add_column("encoders", sa.Column("verdict", sa.Text(), nullable=True))
    op.add_column("encoders", sa.Column("training", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("encoders", sa.Column("job_id", sa.Uuid(), nullable=True))
    op.create_index("ux_encoders_finetuned", "encoders", ["collection_id", "name"], unique=True)


def downgrade() -> None:
    op.drop_index("ux_encoders_finetuned", "encoders")
    op.drop_column("encoders", "job_id")
    op.drop_column("encoders", "training")
    op.drop_column("encoders", "verdict")
    op.drop_column("encoders", "recommended")
    op.drop_column("encoders", "metrics")
    op.drop_column("encoders", "versions")
    op.drop_column("encoders", "images")
    op.drop_column("encoders", "fingerprint")
    op.drop_column("encoders", "seed")
    op.drop_column("encoders", "ir_sha256")
    op.drop_column("encoders", "sha256")
    op.drop_column("encoders", "key")
    op.drop_table("encoder_measures")
