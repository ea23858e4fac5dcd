"""The page docs/store-options.md, made from the profiles and from what the contract suite knows of each store.

``python -m tests.contract.option_table > docs/store-options.md`` writes it anew.
"""

from __future__ import annotations

import sys

from cosbatch.storage.profiles import PROFILES, CapabilityProfile, render_option_table
from tests.contract.stores import GAPS, ODD_KEYS, REFUSED_KEYS

_TITLES = {"seaweedfs": "SeaweedFS 4.48", "ceph": "Ceph RADOS Gateway 16.2.15"}

_HEAD = """# What each store does

A region names a *profile*: what its store does with each option of a job. *Applied*: the store does it when asked.
*Emulated*: the store ignores or lacks it, and cosbatch reaches the same by a further request. *Refused*: neither; a job
that needs it fails while it is prepared, with `UnsupportedOption`, and names the option and the store. A region may
override single lines (`profile_overrides`); `cosbatch store probe` tries everything on scratch objects and prints the
overrides to paste.

The profiles `seaweedfs` and `ceph` are held against the real stores by the tests; `cos` is held against a stand-in that
[its page](how-to/cos.md) describes; the others say what the stores' documentation says.

"""

_LIMITS = """
## Limits

| Profile | Storage classes | Longest key | One copy takes | Parts |
|---|---|---|---|---|
"""

_GAPS = """
## Known gaps

What these stores do otherwise than S3, beyond the table. Each line is an expectation of the tests: they fail when a
newer version of the store closes the gap.
"""


def render_page() -> str:
    limits = "".join(_limits_row(profile) for profile in PROFILES.values())
    gaps = "".join(_gaps_of(name) for name in _TITLES)
    return _HEAD + render_option_table(PROFILES) + _LIMITS + limits + _GAPS + gaps


def _limits_row(profile: CapabilityProfile) -> str:
    classes = ", ".join(sorted(profile.storage_classes)) or "any name"
    gibibytes = profile.copy_limit_bytes // 2**30
    mebibytes = profile.min_part_bytes // 2**20
    parts = f"from {mebibytes} MiB, up to {profile.max_parts:,}"
    return f"| {profile.name} | {classes} | {profile.max_key_bytes:,} bytes | {gibibytes} GiB | {parts} |\n"


def _gaps_of(name: str) -> str:
    lines = [f"- {gap}." for gap in sorted(GAPS[name])]
    refused = REFUSED_KEYS[name]
    if refused:
        kinds = ", ".join(f"{kind} (`{_shown(ODD_KEYS[kind])}`)" for kind in refused)
        lines.append(
            "- would keep some keys under another name, without their content, or not at all. cosbatch refuses them"
            f" with `InvalidKey` before it sends anything: {kinds}."
        )
    return f"\n### {_TITLES[name]}\n\n" + "\n".join(lines) + "\n"


def _shown(key: str) -> str:
    return key if len(key) <= 20 else f"{key[:5]}..."


if __name__ == "__main__":
    sys.stdout.write(render_page())
