"""Hold in an index all that an outcome follows from."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("obligation", schema=None) as batch_op:
        batch_op.drop_index("ix_obligation_due")
        batch_op.create_index(
            "ix_obligation_outcome",
            ["clinic_id", "due_on", "requirement", "done_on", "closes_on", "waived", "patient_id"],
            unique=False,
        )


def downgrade():
    with op.batch_alter_table("obligation", schema=None) as batch_op:
        batch_op.drop_index("ix_obligation_outcome")
        batch_op.create_index("ix_obligation_due", ["clinic_id", "due_on", "requirement"], unique=False)
