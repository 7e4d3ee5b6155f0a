"""Keep the bytes of messages apart."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOVE_OUT = "INSERT INTO inbound_content (clinic_id, message_id, raw) SELECT clinic_id, id, raw FROM inbound_message ORDER BY id"
MOVE_BACK = (
    "UPDATE inbound_message SET raw = "
    "(SELECT raw FROM inbound_content WHERE inbound_content.message_id = inbound_message.id)"
)


def upgrade():
    op.create_table(
        "inbound_content",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clinic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "message_id"],
            ["inbound_message.clinic_id", "inbound_message.id"],
            name=op.f("fk_inbound_content_clinic_id_message_id"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_inbound_content_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_content")),
        sa.UniqueConstraint("message_id", name=op.f("uq_inbound_content_message_id")),
    )
    op.execute(sa.text(MOVE_OUT))
    with op.batch_alter_table("inbound_message", schema=None) as batch_op:
        batch_op.drop_column("raw")


def downgrade():
    with op.batch_alter_table("inbound_message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("raw", sa.LargeBinary(), nullable=True))
    op.execute(sa.text(MOVE_BACK))
    with op.batch_alter_table("inbound_message", schema=None) as batch_op:
        batch_op.alter_column("raw", existing_type=sa.LargeBinary(), nullable=False)
    op.drop_table("inbound_content")
