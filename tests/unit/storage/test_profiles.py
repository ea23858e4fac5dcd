"""Capability profiles: overrides, keys, and the table of the documentation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.storage.profiles import PROFILES, Option, Support, render_option_table


def test_every_profile_says_something_about_every_option() -> None:
    for name, profile in PROFILES.items():
        assert profile.name == name
        assert set(profile.support) == set(Option)


def test_override_changes_one_line() -> None:
    changed = PROFILES["s3"].with_overrides({Option.GRANTS: Support.REFUSED})
    assert changed.supports(Option.GRANTS) is Support.REFUSED
    assert changed.supports(Option.CANNED_ACL) is Support.APPLIED
    assert PROFILES["s3"].supports(Option.GRANTS) is Support.APPLIED


@pytest.mark.parametrize("name", [name for name in PROFILES if name not in ("seaweedfs", "cos")])
@given(key=st.text(max_size=50))
def test_other_stores_take_every_key(name: str, key: str) -> None:
    assert PROFILES[name].takes_key(key)


@given(steps=st.lists(st.text(alphabet="ab.ü \n", min_size=1, max_size=5), min_size=1, max_size=5))
def test_seaweedfs_takes_the_paths_of_a_tree(steps: list[str]) -> None:
    is_path = all(step not in (".", "..") for step in steps)
    assert PROFILES["seaweedfs"].takes_key("/".join(steps)) is is_path


@given(key=st.text(alphabet="ab./\\ü \n\x17\x18\x19\x1a\x1b\x1c", min_size=1, max_size=8))
def test_cos_takes_what_its_documentation_takes(key: str) -> None:
    """No slash or backslash at the start, and none of four control characters."""
    is_taken = key[0] not in "/\\" and not set(key) & set("\x18\x19\x1a\x1b")
    assert PROFILES["cos"].takes_key(key) is is_taken


def test_table_has_a_row_for_each_option_and_a_column_for_each_profile() -> None:
    lines = render_option_table(PROFILES).splitlines()
    assert lines[0] == "| Option | cos | s3 | ceph | seaweedfs | minio | generic |"
    assert [line.split("`")[1] for line in lines[2:]] == [str(option) for option in Option]
    assert "| `tagging-replace` | applied | applied | emulated | applied | applied | applied |" in lines
