"""``python -m bench.many_jobs DATA COUNT``: so many jobs more in a data folder on which no service runs, none of which an
engine works on: they have ended, or somebody has paused them."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from bench.job_lists import add_jobs
from cosbatch.ledger.sqlite import DATABASE_FILE


def main() -> None:
    data_dir, count = Path(sys.argv[1]), int(sys.argv[2])
    add_jobs(data_dir, count=count)
    with sqlite3.connect(data_dir / DATABASE_FILE) as database:
        database.execute("UPDATE job SET status = 'Paused', paused_by = 'user' WHERE status IN ('New', 'Active', 'Paused')")
    database.close()


if __name__ == "__main__":
    main()
