"""Tags put, added and taken away, and how a second attempt recognises its first."""

from __future__ import annotations

import pytest

from cosbatch.model.errors import StorageError
from cosbatch.model.identifiers import VersionId
from cosbatch.model.operations import DeleteObject, PutObjectTagging, Tag, TaggingChange
from cosbatch.model.regions import Versioning
from cosbatch.model.tasks import OutcomeCode, TaskStatus
from cosbatch.operations.tagging import TaggingOperation
from cosbatch.storage.profiles import PROFILES
from tests.unit.operations.copy_rig import TAGS, Trouble, profile_with, task_of
from tests.unit.operations.in_place_rig import InPlaceRig

REPLACED, ADD, DELETE = TaggingChange
NEW = (Tag(key="tier", value="cold"), Tag(key="year", value="2026"))
LOSSES = [Trouble.LOST_AFTER, Trouble.LOST_BEFORE, Trouble.DIES_AFTER, Trouble.DIES_BEFORE]
APPLIED = (Trouble.LOST_AFTER, Trouble.DIES_AFTER)

CASES: dict[str, tuple[PutObjectTagging, set[Tag], list[str]]] = {
    "replaced": (PutObjectTagging(tagging_directive=REPLACED, tag_set=NEW), set(NEW), ["put_tags"]),
    "added": (
        PutObjectTagging(tagging_directive=ADD, tag_set=NEW),
        {*NEW, Tag(key="team", value="a")},
        ["get_tags", "put_tags"],
    ),
    "one taken away": (
        PutObjectTagging(tagging_directive=DELETE, tag_set=(Tag(key="tier", value=""),)),
        {Tag(key="team", value="a")},
        ["get_tags", "put_tags"],
    ),
    "each taken away": (
        PutObjectTagging(tagging_directive=DELETE, tag_set=tuple(Tag(key=tag.key, value="") for tag in TAGS)),
        set(),
        ["get_tags", "delete_tags"],
    ),
    "all taken away": (PutObjectTagging(tagging_directive=DELETE), set(), ["delete_tags"]),
    "replaced by none": (PutObjectTagging(tagging_directive=REPLACED), set(), ["delete_tags"]),
}


def rig(name: str, *, versioned: bool = False) -> InPlaceRig:
    """The object has TAGS."""
    job = InPlaceRig(CASES[name][0], versioning=Versioning.ENABLED if versioned else Versioning.NEVER)
    job.put(tags=TAGS)
    return job


async def tags_of(job: InPlaceRig, version: str | None = None) -> set[Tag]:
    return set(await job.store.get_tags(job.ref(version)))


@pytest.mark.parametrize("name", CASES)
class TestChange:
    async def test_of_an_object(self, name: str) -> None:
        job = rig(name)
        _, wanted, requests = CASES[name]
        result = await job.run()
        assert result == (7, TaskStatus.SUCCEEDED, "", 200, "Successful", 0, len(requests), True, "")
        assert await tags_of(job) == wanted
        assert job.wire.sent == requests

    async def test_of_a_version(self, name: str) -> None:
        job = rig(name, versioned=True)
        newer = job.put(b"2", tags=TAGS)
        older = (await job.versions())[1].version_id
        await job.run(task_of(version=older))
        assert await tags_of(job, older) == CASES[name][1]
        assert await tags_of(job, newer) == set(TAGS)

    async def test_of_the_newest_version(self, name: str) -> None:
        """What reads first, and what removes, is about the version that was looked at."""
        job = rig(name, versioned=True)
        result = await job.run()
        assert await tags_of(job) == CASES[name][1]
        requests = CASES[name][2]
        assert job.wire.sent == (requests if name == "replaced" else ["head", *requests])
        assert result.requests == len(job.wire.sent)

    async def test_an_owners_upload_between_two_requests_gets_no_tags_of_another(self, name: str) -> None:
        job = rig(name, versioned=True)
        job.context()
        job.wire.before[1] = lambda: job.owner_puts(tags=(Tag(key="owner", value="me"),))
        await job.run()
        # Replacing is one request, so that nothing comes in between.
        assert await tags_of(job) == (set(NEW) if name == "replaced" else {Tag(key="owner", value="me")})

    async def test_nothing_there(self, name: str) -> None:
        with pytest.raises(StorageError) as raised:
            await InPlaceRig(CASES[name][0]).run()
        assert raised.value.http_status == 404

    async def test_it_costs_what_it_says(self, name: str) -> None:
        for versioned in (False, True):
            job = rig(name, versioned=versioned)
            await job.run()
            said = TaggingOperation().needs(job.facts).requests_per_object
            assert sum(said.values()) == len(job.wire.sent)
            assert {kind.replace("-", "_") for kind in said} | {"put_tags", "delete_tags"} >= set(job.wire.sent)

    @pytest.mark.parametrize("versioned", [False, True])
    @pytest.mark.parametrize("trouble", LOSSES)
    async def test_a_second_attempt(self, name: str, trouble: Trouble, versioned: bool) -> None:
        job = rig(name, versioned=versioned)
        job.wire.trouble, job.wire.only = trouble, CASES[name][2][-1]
        await job.lose()
        result = await job.recover()
        assert result.status is TaskStatus.SUCCEEDED
        assert await tags_of(job) == CASES[name][1]
        assert (trouble in APPLIED) == (CASES[name][2][-1] not in job.wire.sent)

    @pytest.mark.parametrize("trouble", LOSSES)
    async def test_of_a_job_that_ends(self, name: str, trouble: Trouble) -> None:
        """Tags have no date: that they are not there proves nothing."""
        job = rig(name)
        job.wire.trouble, job.wire.only = trouble, CASES[name][2][-1]
        await job.lose()
        job.wire.heal()
        result = await job.settle(may_write=False)
        assert result is not None
        assert result.error_code == ("" if trouble in APPLIED else OutcomeCode.OUTCOME_UNKNOWN)
        assert job.wire.sent == ["get_tags"]

    @pytest.mark.parametrize("versioned", [False, True])
    async def test_read_back(self, name: str, versioned: bool) -> None:
        job = rig(name, versioned=versioned)
        assert await job.verify(task_of(), await job.run()) == ()

    async def test_a_store_that_lies(self, name: str) -> None:
        job = rig(name)
        result = await job.run()
        await job.store.put_tags(job.ref(), TAGS)
        assert await job.verify(task_of(), result) == ("object-tagging",)

    @pytest.mark.parametrize("versioned", [False, True])
    async def test_an_owners_new_upload_says_nothing(self, name: str, versioned: bool) -> None:
        job = rig(name, versioned=versioned)
        result = await job.run()
        job.owner_puts(tags=TAGS)
        assert await job.verify(task_of(), result) == ()

    @pytest.mark.parametrize("ahead_seconds", [3600.0, -3600.0])
    async def test_nor_under_a_wrong_clock(self, name: str, ahead_seconds: float) -> None:
        job = InPlaceRig(CASES[name][0], ahead_seconds=ahead_seconds)
        job.put(tags=TAGS)
        result = await job.run()
        job.owner_puts(tags=TAGS)
        assert await job.verify(task_of(), result) == ()

    async def test_the_next_attempt_is_told_that_nothing_is_proved(self, name: str) -> None:
        """But of an object that is gone, where that it is gone is all there is to say."""
        job = rig(name)
        assert await job.settle() is None
        assert job.last_context is not None
        assert "never were, or were changed since" in job.last_context.unproved
        await job.store.delete(job.ref())
        assert await job.settle() is None
        assert job.last_context.unproved == ""

    async def test_an_object_that_is_gone_says_nothing(self, name: str) -> None:
        job = rig(name)
        result = await job.run()
        await job.store.delete(job.ref())
        assert await job.verify(task_of(), result) == ()
        ended = await job.settle(may_write=False)
        assert ended is not None
        assert ended.error_code == OutcomeCode.OUTCOME_UNKNOWN


@pytest.mark.parametrize("name", ["added", "one taken away", "each taken away"])
async def test_nothing_is_written_where_it_is_so_already(name: str) -> None:
    job = rig(name)
    await job.run()
    job.wire.heal()
    result = await job.run()
    assert (result.status, job.wire.sent) == (TaskStatus.SUCCEEDED, ["get_tags"])


async def test_more_tags_than_an_object_has_room_for() -> None:
    job = InPlaceRig(PutObjectTagging(tagging_directive=ADD, tag_set=NEW))
    full = tuple(Tag(key=f"k{number}", value="") for number in range(9))
    job.put(tags=full)
    result = await job.run()
    assert (result.status, result.error_code) == (TaskStatus.FAILED, "InvalidTag")
    assert "make 11" in result.message
    assert await tags_of(job) == set(full)
    assert job.wire.sent == ["get_tags"]


async def test_an_empty_key() -> None:
    job = rig("replaced")
    result = await job.run(task_of(""))
    assert (result.error_code, result.requests) == (OutcomeCode.EMPTY_KEY, 0)
    assert await job.settle(task_of("")) == result


async def test_an_unknown_version() -> None:
    job = rig("replaced", versioned=True)
    with pytest.raises(StorageError) as raised:
        await job.run(task_of(version=VersionId("none")))
    assert raised.value.code == "NoSuchVersion"


class TestChecks:
    def test_a_store_without_tags_is_named(self) -> None:
        profile = profile_with("minio", refused="object-tagging")
        (fault,) = TaggingOperation().check(rig("added").request, source=profile, target=profile)
        assert (fault.path, fault.value, fault.problem) == (
            "Operation.COSPutObjectTagging.TaggingDirective",
            "Add",
            "object-tagging is not offered by a minio store",
        )

    def test_all_faults_of_tags_at_once(self) -> None:
        tags = (
            Tag(key="", value=""),
            Tag(key="a", value="x" * 257),
            Tag(key="a", value="<"),
            Tag(key="b" * 129, value=""),
        )
        params = PutObjectTagging(tagging_directive=REPLACED, tag_set=tags)
        faults = TaggingOperation().check(InPlaceRig(params).request, source=PROFILES["s3"], target=PROFILES["s3"])
        root = "Operation.COSPutObjectTagging.TagSet"
        assert [fault.path for fault in faults] == [
            f"{root}[0].Key",
            f"{root}[1].Value",
            f"{root}[2].Value",
            f"{root}[3].Key",
            root,
        ]

    def test_too_many(self) -> None:
        tags = tuple(Tag(key=str(number), value="") for number in range(11))
        params = PutObjectTagging(tagging_directive=ADD, tag_set=tags)
        (fault,) = TaggingOperation().check(InPlaceRig(params).request, source=PROFILES["s3"], target=PROFILES["s3"])
        assert fault.problem == "an object has at most 10 tags"

    def test_parameters_of_another_operation_are_a_mistake_of_ours(self) -> None:
        with pytest.raises(TypeError):
            TaggingOperation().check(InPlaceRig(DeleteObject()).request, source=PROFILES["s3"], target=PROFILES["s3"])
