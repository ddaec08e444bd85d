"""jobs that wait for an outage to end."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in a batch, as in 0002: stages refer to jobs.
    op.add_column("jobs", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.add_column("jobs", sa.Column("waited_s", sa.Double(), server_default=sa.text("0"), nullable=False))
    op.add_column("jobs", sa.Column("steps", sa.Integer(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    op.drop_column("jobs", "steps")
    op.drop_column("jobs", "waited_s")
    op.drop_column("jobs", "not_before")
