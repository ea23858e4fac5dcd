"""Large blocks come from memory that the process already has. Seen in page faults, in a fresh process each time."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource
from cosbatch.storage.http_memory import keep_large_blocks

{call}

def allocate() -> None:
    (b"x" * (4 * 2**20), b"y" * (4 * 2**20))

allocate()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    allocate()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(call: str) -> int:
    return int(subprocess.check_output([sys.executable, "-c", PROGRAM.format(call=call)]))


def test_large_blocks_are_kept() -> None:
    assert page_faults("keep_large_blocks()") * 10 < page_faults("")
