"""Run by Alembic: the connection, and the transaction around it, come from the caller."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
