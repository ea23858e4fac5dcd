"""The tables of accounts, users and what they come in with. Beside those of jobs, in the same database.

No secret stands in them as it is: passwords and tokens are hashed, the secrets of access keys are sealed. Users are in
``person``, because ``user`` is a word of SQL.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, Text

from cosbatch.ledger.people_port import SECRET_PURPOSE
from cosbatch.ledger.sealed import sealed_for
from cosbatch.ledger.tables import COUNT, REAL_NUMBER, metadata

account: Final = Table(
    "account",
    metadata,
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("uin", Text, nullable=False),
    Column("appid", Text, nullable=False),
    Column("aws_account_id", Text, nullable=False),
    Column("created_at", REAL_NUMBER, nullable=False),
    Column("declared", COUNT, nullable=False),  # 1: it stands in the settings
    Column("disabled", COUNT, nullable=False, server_default="0"),
    PrimaryKeyConstraint("id", name="account_pk"),
    sqlite_strict=True,
)

person: Final = Table(
    "person",
    metadata,
    Column("name", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),  # argon2id; empty: cannot log in with one
    Column("must_change", COUNT, nullable=False),
    Column("disabled", COUNT, nullable=False),
    Column("declared", COUNT, nullable=False),
    Column("created_at", REAL_NUMBER, nullable=False),
    PrimaryKeyConstraint("name", name="person_pk"),
    ForeignKeyConstraint(["account"], ["account.id"], name="person_account_fk"),
    CheckConstraint("role IN ('viewer', 'operator', 'admin')", name="person_role_known"),
    sqlite_strict=True,
)

access_key: Final = Table(
    "access_key",
    metadata,
    Column("id", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("secret", Text, nullable=False, info=sealed_for(SECRET_PURPOSE)),
    Column("description", Text, nullable=False),
    Column("disabled", COUNT, nullable=False),
    Column("created_at", REAL_NUMBER, nullable=False),
    Column("used_at", REAL_NUMBER),
    PrimaryKeyConstraint("id", name="access_key_pk"),
    ForeignKeyConstraint(["person"], ["person.name"], name="access_key_person_fk"),
    sqlite_strict=True,
)

api_token: Final = Table(
    "api_token",
    metadata,
    Column("id", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256, hex
    Column("scopes", Text, nullable=False),  # with spaces between
    Column("description", Text, nullable=False),
    Column("revoked", COUNT, nullable=False),
    Column("created_at", REAL_NUMBER, nullable=False),
    Column("expires_at", REAL_NUMBER),
    Column("used_at", REAL_NUMBER),
    PrimaryKeyConstraint("id", name="api_token_pk"),
    ForeignKeyConstraint(["person"], ["person.name"], name="api_token_person_fk"),
    sqlite_strict=True,
)

session: Final = Table(
    "session",
    metadata,
    Column("id", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("created_at", REAL_NUMBER, nullable=False),
    Column("idle_until", REAL_NUMBER, nullable=False),
    Column("expires_at", REAL_NUMBER, nullable=False),
    PrimaryKeyConstraint("id", name="session_pk"),
    ForeignKeyConstraint(["person"], ["person.name"], name="session_person_fk"),
    sqlite_strict=True,
)

failed_login: Final = Table(
    "failed_login",
    metadata,
    Column("subject", Text, nullable=False),  # whose tries are counted
    Column("tries", COUNT, nullable=False),
    Column("since", REAL_NUMBER, nullable=False),
    PrimaryKeyConstraint("subject", name="failed_login_pk"),
    sqlite_strict=True,
)

audit: Final = Table(
    "audit",
    metadata,
    Column("id", COUNT, nullable=False, autoincrement=True),
    Column("at", REAL_NUMBER, nullable=False),
    Column("account", Text, nullable=False),  # whose admins may read it; empty: the operator alone
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("credential", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("request_id", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("id", name="audit_pk"),
    sqlite_strict=True,
)

Index("account_name", account.c.name, unique=True)
Index("account_uin", account.c.uin, unique=True)
Index("account_appid", account.c.appid, unique=True)
Index("account_aws", account.c.aws_account_id, unique=True)
Index("person_of_account", person.c.account)
Index("access_key_of_person", access_key.c.person)
Index("api_token_of_person", api_token.c.person)
Index("api_token_digest", api_token.c.digest, unique=True)
Index("session_digest", session.c.digest, unique=True)
Index("session_of_person", session.c.person)
Index("session_end", session.c.expires_at)
Index("failed_login_since", failed_login.c.since)
Index("audit_of_account", audit.c.account, audit.c.id)
