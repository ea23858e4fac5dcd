"""The tables of accounts, users, access keys, tokens, sessions, failed logins, and the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _accounts_and_users()
    _ways_in()
    _logins_and_audit()
    _indexes()


def _accounts_and_users() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("uin", sa.Text, nullable=False),
        sa.Column("appid", sa.Text, nullable=False),
        sa.Column("aws_account_id", sa.Text, nullable=False),
        sa.Column("created_at", REAL_NUMBER, nullable=False),
        sa.Column("declared", COUNT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="account_pk"),
        sqlite_strict=True,
    )
    op.create_table(
        "person",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("must_change", COUNT, nullable=False),
        sa.Column("disabled", COUNT, nullable=False),
        sa.Column("declared", COUNT, nullable=False),
        sa.Column("created_at", REAL_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("name", name="person_pk"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="person_account_fk"),
        sa.CheckConstraint("role IN ('viewer', 'operator', 'admin')", name="person_role_known"),
        sqlite_strict=True,
    )


def _ways_in() -> None:
    op.create_table(
        "access_key",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("disabled", COUNT, nullable=False),
        sa.Column("created_at", REAL_NUMBER, nullable=False),
        sa.Column("used_at", REAL_NUMBER),
        sa.PrimaryKeyConstraint("id", name="access_key_pk"),
        sa.ForeignKeyConstraint(["person"], ["person.name"], name="access_key_person_fk"),
        sqlite_strict=True,
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("revoked", COUNT, nullable=False),
        sa.Column("created_at", REAL_NUMBER, nullable=False),
        sa.Column("expires_at", REAL_NUMBER),
        sa.Column("used_at", REAL_NUMBER),
        sa.PrimaryKeyConstraint("id", name="api_token_pk"),
        sa.ForeignKeyConstraint(["person"], ["person.name"], name="api_token_person_fk"),
        sqlite_strict=True,
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("created_at", REAL_NUMBER, nullable=False),
        sa.Column("idle_until", REAL_NUMBER, nullable=False),
        sa.Column("expires_at", REAL_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="session_pk"),
        sa.ForeignKeyConstraint(["person"], ["person.name"], name="session_person_fk"),
        sqlite_strict=True,
    )


def _logins_and_audit() -> None:
    op.create_table(
        "failed_login",
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("tries", COUNT, nullable=False),
        sa.Column("since", REAL_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("subject", name="failed_login_pk"),
        sqlite_strict=True,
    )
    op.create_table(
        "audit",
        sa.Column("id", COUNT, nullable=False, autoincrement=True),
        sa.Column("at", REAL_NUMBER, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("credential", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="audit_pk"),
        sqlite_strict=True,
    )


def _indexes() -> None:
    op.create_index("account_name", "account", ["name"], unique=True)
    op.create_index("account_uin", "account", ["uin"], unique=True)
    op.create_index("account_appid", "account", ["appid"], unique=True)
    op.create_index("account_aws", "account", ["aws_account_id"], unique=True)
    op.create_index("person_of_account", "person", ["account"])
    op.create_index("access_key_of_person", "access_key", ["person"])
    op.create_index("api_token_of_person", "api_token", ["person"])
    op.create_index("api_token_digest", "api_token", ["digest"], unique=True)
    op.create_index("session_digest", "session", ["digest"], unique=True)
    op.create_index("session_of_person", "session", ["person"])
    op.create_index("session_end", "session", ["expires_at"])
    op.create_index("failed_login_since", "failed_login", ["since"])
    op.create_index("audit_of_account", "audit", ["account", "id"])
