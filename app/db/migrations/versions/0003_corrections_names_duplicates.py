"""corrections, names and near-duplicates."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("groups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("outside", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id")
    )
    op.create_index("ix_groups_collection_id", "groups", ["collection_id"])

    op.create_table("centres",
        sa.Column("clustering_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["clustering_id"], ["clusterings.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("clustering_id", "id")
    )

    op.create_table("audits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clustering_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("images", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clustering_id"], ["clusterings.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id")
    )
    op.create_index("ix_audits_clustering_id", "audits", ["clustering_id"])

    op.create_table("duplicate_scans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("set_id", sa.Uuid(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("newest_shard", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["set_id"], ["embedding_sets.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id")
    )
    op.create_index("ix_duplicate_scans_collection_id", "duplicate_scans", ["collection_id"])
    op.create_index("ix_duplicate_scans_set_id", "duplicate_scans", ["set_id"])

    op.create_table("edits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clustering_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("effect", sa.JSON(), nullable=False),
        sa.Column("who", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clustering_id"], ["clusterings.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("clustering_id", "revision")
    )
    op.create_table("propagations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clustering_id", sa.Uuid(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["clustering_id"], ["clusterings.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id")
    )
    op.create_index("ix_propagations_clustering_id", "propagations", ["clustering_id"])

    op.create_table("duplicate_pairs",
        sa.Column("scan_id", sa.Uuid(), nullable=False),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["first_id"], ["images.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["scan_id"], ["duplicate_scans.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["second_id"], ["images.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("scan_id", "first_id", "second_id")
    )
    op.create_index("ix_duplicate_pairs_first_id", "duplicate_pairs", ["first_id"])
    op.create_index("ix_duplicate_pairs_second_id", "duplicate_pairs", ["second_id"])
    op.create_index("ix_duplicate_pairs_similarity", "duplicate_pairs", ["scan_id", "similarity"])

    op.create_table("edit_moves",
        sa.Column("edit_id", sa.Uuid(), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=True),
        sa.Column("after", sa.Integer(), nullable=True),
        sa.Column("distance_before", sa.Float(), nullable=False),
        sa.Column("distance_after", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["edit_id"], ["edits.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("edit_id", "image_id")
    )
    op.create_index("ix_edit_moves_image_id", "edit_moves", ["image_id"])

    op.create_table("group_images",
        sa.Column("edit_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("belongs", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["edit_id"], ["edits.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("edit_id", "group_id", "image_id")
    )
    op.create_index("ix_group_images_image_id", "group_images", ["image_id"])

    op.create_table("predictions",
        sa.Column("propagation_id", sa.Uuid(), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("guess", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("worth", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["propagation_id"], ["propagations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("propagation_id", "image_id")
    )
    op.create_index("ix_predictions_image_id", "predictions", ["image_id"])
    op.create_index("ix_predictions_label", "predictions", ["propagation_id", "label", "image_id"])
    op.create_index("ix_predictions_worth", "predictions", ["propagation_id", "worth", "image_id"])

    # Nothing refers to assignments, so that SQLite may make that table anew; the others only get columns.
    with op.batch_alter_table("assignments") as batch:
        batch.add_column(sa.Column("run_number", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("leaf", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("outlier_score", sa.Float(), nullable=True))
        batch.alter_column("number", existing_type=sa.Integer(), nullable=True)
    op.execute("UPDATE assignments SET run_number = number")
    with op.batch_alter_table("assignments") as batch:
        batch.alter_column("run_number", existing_type=sa.Integer(), nullable=False)
    op.create_index("ix_assignments_outliers", "assignments", ["clustering_id", "outlier_score", "image_id"])
    op.add_column("clusterings", sa.Column("sampled", sa.Integer(), nullable=True))
    op.add_column("clusterings", sa.Column("tree_key", sa.Text(), nullable=True))
    op.add_column("clusterings", sa.Column("map_key", sa.Text(), nullable=True))
    op.add_column("clusterings", sa.Column("suggestions", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("clusterings", sa.Column("parent_id", sa.Uuid(), nullable=True))
    op.add_column("clusterings", sa.Column("event_gap_s", sa.Float(), nullable=True))
    op.add_column("clusters", sa.Column("group_id", sa.Uuid(), nullable=True))
    op.add_column("images", sa.Column("pixels_sha256", sa.String(length=64), nullable=True))
    op.add_column("images", sa.Column("phash", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("images", "phash")
    op.drop_column("images", "pixels_sha256")
    op.drop_column("clusters", "group_id")
    for name in ("event_gap_s", "parent_id", "suggestions", "map_key", "tree_key", "sampled"):
        op.drop_column("clusterings", name)
    op.drop_index("ix_assignments_outliers", "assignments")
    op.execute("DELETE FROM assignments WHERE number IS NULL")
    with op.batch_alter_table("assignments") as batch:
        batch.alter_column("number", existing_type=sa.Integer(), nullable=False)
        batch.drop_column("outlier_score")
        batch.drop_column("leaf")
        batch.drop_column("run_number")
    for table in ("predictions", "group_images", "edit_moves", "duplicate_pairs", "propagations", "edits",
                  "duplicate_scans", "audits", "centres", "groups"):
        op.drop_table(table)
