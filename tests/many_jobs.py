"""``python -m tests.many_jobs DATA COUNT``: so many jobs more in a data folder on which no service runs.

They are of the last hours, so that no service removes them, and no engine works on them: they have ended, or somebody
has paused them.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path

from bench.job_lists import add_jobs
from cosbatch.ledger.sqlite import DATABASE_FILE

_CHANGES = (
    "UPDATE job SET created_at = :now - (:count - rowid), ended_at = NULL WHERE id BETWEEN :first AND :last",
    "UPDATE job SET status = 'Complete' WHERE id BETWEEN :first AND :last AND status IN ('New', 'Active')",
    "UPDATE job SET paused_by = 'user' WHERE id BETWEEN :first AND :last AND status = 'Paused'",
    "UPDATE job SET ended_at = created_at WHERE id BETWEEN :first AND :last AND status <> 'Paused'",
)


def main() -> None:
    data_dir, count = Path(sys.argv[1]), int(sys.argv[2])
    ids = add_jobs(data_dir, count=count)
    values = {"now": time.time(), "count": 2 * count, "first": ids[0], "last": ids[-1]}
    database = sqlite3.connect(data_dir / DATABASE_FILE)
    with database:
        for change in _CHANGES:
            database.execute(change, values)
    database.close()


if __name__ == "__main__":
    main()
