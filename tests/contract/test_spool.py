"""What every work area does, whatever it is made of."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosbatch.model.errors import SpoolError, SpoolMissing
from cosbatch.storage.folder_spool import FolderSpool
from cosbatch.storage.memory_spool import MemorySpool
from cosbatch.storage.spool import Spool


@pytest.fixture(params=["folder", "memory"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Spool:
    return FolderSpool(tmp_path / "spool") if request.param == "folder" else MemorySpool()


@pytest.mark.parametrize("content", [b"", b"one", bytes(range(256)) * 5000])
async def test_gives_back_the_bytes_that_were_put(spool: Spool, content: bytes) -> None:
    await spool.put("jobs/a/parts/0/0-1-cafe", content)

    assert await spool.get("jobs/a/parts/0/0-1-cafe") == content


async def test_the_same_bytes_may_be_put_again(spool: Spool) -> None:
    await spool.put("jobs/a/x", b"same")
    await spool.put("jobs/a/x", b"same")

    assert await spool.get("jobs/a/x") == b"same"
    assert await spool.list("jobs/") == ["jobs/a/x"]


async def test_other_bytes_are_refused_and_change_nothing(spool: Spool) -> None:
    await spool.put("jobs/a/x", b"first")

    with pytest.raises(SpoolError, match="other bytes"):
        await spool.put("jobs/a/x", b"second")

    assert await spool.get("jobs/a/x") == b"first"
    assert await spool.list("jobs/") == ["jobs/a/x"]


async def test_of_rivals_for_one_name_one_wins_and_the_others_are_told(spool: Spool) -> None:
    contents = [f"writer {number}".encode() * 1000 for number in range(8)]

    outcomes = await asyncio.gather(*(spool.put("a/b/c", one) for one in contents), return_exceptions=True)

    winners = [content for content, outcome in zip(contents, outcomes, strict=True) if outcome is None]
    assert [await spool.get("a/b/c")] == winners
    assert all(isinstance(outcome, SpoolError) for outcome in outcomes if outcome is not None)


async def test_what_was_never_put_is_missing(spool: Spool) -> None:
    await spool.put("jobs/a/x", b"1")

    for name in ["jobs/a/y", "jobs/a", "nothing", "jobs/a/x/below"]:
        with pytest.raises(SpoolMissing, match=name):
            await spool.get(name)


async def test_lists_what_is_below_a_folder_in_order_of_the_whole_name(spool: Spool) -> None:
    names = ["jobs/a/parts/1/9", "jobs/a/parts/10/1", "jobs/a/parts-of/1", "jobs/a/b", "jobs/ab/x", "other/x"]
    for name in names:
        await spool.put(name, b"")

    assert await spool.list("jobs/a/") == sorted(name for name in names if name.startswith("jobs/a/"))
    assert await spool.list("jobs/a/parts/") == ["jobs/a/parts/1/9", "jobs/a/parts/10/1"]
    assert await spool.list("jobs/none/") == []


async def test_what_was_deleted_is_gone_and_deleting_it_again_is_no_error(spool: Spool) -> None:
    await spool.put("jobs/a/x", b"1")
    await spool.put("jobs/a/y", b"2")

    await spool.delete("jobs/a/x")
    await spool.delete("jobs/a/x")
    await spool.delete("never/was")

    assert await spool.list("jobs/") == ["jobs/a/y"]
    with pytest.raises(SpoolMissing):
        await spool.get("jobs/a/x")


async def test_a_folder_that_became_empty_can_be_used_again(spool: Spool) -> None:
    await spool.put("jobs/a/x", b"1")
    await spool.delete("jobs/a/x")
    await spool.put("jobs/a/x", b"2")

    assert await spool.get("jobs/a/x") == b"2"


BAD_NAMES = [
    "",
    "/",
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a/./x",
    "a//x",
    "a/",
    ".hidden",
    "a/.hidden",
    "a b",
    "a\nb",
    "a\x00b",
    "a\\b",
    "ä",
    "x\n",
    "a" * 201,
]


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_name_that_is_not_plain_is_refused_by_every_verb(spool: Spool, name: str) -> None:
    for refused in (spool.put(name, b""), spool.get(name), spool.delete(name), spool.list(f"{name}/")):
        with pytest.raises(SpoolError, match=r"not a name|not name a folder") as caught:
            await refused
        assert not isinstance(caught.value, SpoolMissing)


async def test_a_folder_is_named_with_a_slash_at_its_end(spool: Spool) -> None:
    with pytest.raises(SpoolError, match="must end in /"):
        await spool.list("jobs")


STEPS = st.text("abAB01-_.", min_size=1, max_size=6).filter(lambda step: not step.startswith("."))
LEAVES = st.lists(STEPS, min_size=1, max_size=3).map(lambda steps: "/".join([*steps, "=leaf".replace("=", "_")]))


@given(files=st.dictionaries(LEAVES, st.binary(max_size=64), max_size=8), folder=STEPS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_holds_what_a_dictionary_holds(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], folder: str
) -> None:
    for spool in (FolderSpool(tmp_path_factory.mktemp("spool")), MemorySpool()):
        for name, content in files.items():
            await spool.put(name, content)

        assert {name: await spool.get(name) for name in files} == files
        assert await spool.list(f"{folder}/") == sorted(name for name in files if name.startswith(f"{folder}/"))


async def test_the_free_share_is_a_share_or_unknown(spool: Spool) -> None:
    share = await spool.free_share()

    assert share is None or 0 < share <= 1


async def test_the_folders_right_below_one(spool: Spool) -> None:
    for name in ("jobs/b/chunks/0/x", "jobs/b/parts/0/y", "jobs/a/z", "jobs/file", "other/c/d"):
        await spool.put(name, b"1")

    assert await spool.folders("jobs/") == ["a", "b"]
    assert await spool.folders("jobs/b/") == ["chunks", "parts"]
    assert await spool.folders("jobs/a/") == []
    assert await spool.folders("nothing/") == []
    with pytest.raises(SpoolError):
        await spool.folders("jobs")


async def test_a_folder_that_is_empty_is_none(spool: Spool) -> None:
    await spool.put("jobs/a/x/y", b"1")
    await spool.delete("jobs/a/x/y")

    assert await spool.folders("jobs/") == []
