"""${message}."""
<%def name="body(ops)">${ops if ops else "pass"}</%def>
import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade():
    ${body(upgrades)}


def downgrade():
    ${body(downgrades)}
