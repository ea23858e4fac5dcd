"""The prefix rule, and the chains that it can make inside one bucket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.identifiers import Bucket, ObjectKey
from cosbatch.model.operations import PutObjectCopy
from cosbatch.operations.outcome import TaskRefused
from cosbatch.operations.target_key import overlap_rule, target_key

BUCKET = Bucket("b")


def rule(removed: str, added: str) -> PutObjectCopy:
    return PutObjectCopy(target_bucket=BUCKET, prefix_replace=True, resources_prefix=removed, target_key_prefix=added)


def mapped(params: PutObjectCopy, key: str, *, max_key_bytes: int = 1024) -> str:
    return target_key(params, ObjectKey(key), max_key_bytes=max_key_bytes)


@pytest.mark.parametrize(
    ("removed", "added", "key", "expected"),
    [
        ("", "new/", "a", "new/a"),
        ("pic", "abc", "picture.jpg", "abcture.jpg"),
        ("raw/", "archive/raw/", "raw/x/y", "archive/raw/x/y"),
        ("raw/", "", "raw/x", "x"),
        ("raw/", "", "raw//x", "/x"),
        ("a", "b", "a", "b"),
    ],
)
def test_prefix_is_replaced(removed: str, added: str, key: str, expected: str) -> None:
    assert mapped(rule(removed, added), key) == expected


def test_without_prefix_replace_the_prefixes_say_nothing() -> None:
    params = PutObjectCopy(target_bucket=BUCKET, resources_prefix="a", target_key_prefix="b")
    assert mapped(params, "a/x") == "a/x"


@pytest.mark.parametrize(
    ("removed", "added", "key", "code"),
    [("raw/", "new/", "Raw/x", "PrefixMismatch"), ("raw/", "", "raw/", "EmptyKey"), ("", "p" * 20, "x", "KeyTooLong")],
)
def test_refused_keys(removed: str, added: str, key: str, code: str) -> None:
    with pytest.raises(TaskRefused) as caught:
        mapped(rule(removed, added), key, max_key_bytes=20)
    assert caught.value.code == code


def test_length_is_counted_in_bytes() -> None:
    assert mapped(rule("", ""), "é" * 10, max_key_bytes=20) == "é" * 10
    with pytest.raises(TaskRefused):
        mapped(rule("", ""), "é" * 11, max_key_bytes=20)


@pytest.mark.parametrize(
    ("removed", "added", "key", "is_refused"),
    [
        ("", "copy/", "x", False),
        ("", "copy/", "copy/x", True),
        ("raw/", "", "raw/x", False),
        ("raw/", "", "raw/raw/x", True),
        ("a/", "a/b/", "a/x", False),
        ("a/", "a/b/", "a/b/x", True),
    ],
)
def test_keys_of_a_chain_are_refused(removed: str, added: str, key: str, is_refused: bool) -> None:
    refuses = overlap_rule(rule(removed, added), source_bucket=BUCKET)
    assert refuses is not None
    assert refuses(ObjectKey(key)) is is_refused


@pytest.mark.parametrize(
    "params",
    [
        rule("a/", "b/"),
        rule("a/", "a/"),
        PutObjectCopy(target_bucket=BUCKET, target_key_prefix="copy/"),
        PutObjectCopy(target_bucket=Bucket("other"), prefix_replace=True, target_key_prefix="copy/"),
    ],
    ids=["apart", "onto itself", "no rule", "another bucket"],
)
def test_no_rule_where_no_key_is_read_after_it_was_written(params: PutObjectCopy) -> None:
    assert overlap_rule(params, source_bucket=BUCKET) is None


def test_same_name_in_another_region_is_another_bucket() -> None:
    assert overlap_rule(rule("", "copy/"), source_bucket=BUCKET, in_one_region=False) is None


prefixes = st.text(alphabet="ab/", max_size=3)
keys = st.sets(st.text(alphabet="ab/", min_size=1, max_size=5), max_size=12)


@given(removed=prefixes, added=prefixes, keys=keys)
def test_no_chain_escapes(removed: str, added: str, keys: set[str]) -> None:
    params = rule(removed, added)
    refuses = overlap_rule(params, source_bucket=BUCKET)
    moves = {key: added + key[len(removed) :] for key in keys if key.startswith(removed)}
    chains = [key for key, new in moves.items() if new != key and moves.get(new, new) != new]
    if chains:
        assert refuses is not None
        assert any(refuses(ObjectKey(key)) for key in keys)
