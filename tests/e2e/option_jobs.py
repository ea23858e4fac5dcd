"""Carries out the cases of the option table, all at once under one engine, and looks at what came of them by boto3."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, unquote_plus

from cosbatch.model.errors import FailureCode
from cosbatch.model.jobs import Job
from cosbatch.model.principals import LOCAL_CALLER
from cosbatch.model.states import JobStatus, is_final
from cosbatch.service.job_schema import parse_job
from cosbatch.settings import load_settings
from cosbatch.storage.profiles import PROFILES
from cosbatch.wiring import open_engine
from tests.e2e.option_cases import (
    BOUNDARY,
    DEFAULT_TYPE,
    FOLDER,
    HABITS,
    Case,
    Habit,
    Look,
    Source,
    expected_look,
    refusals,
)
from tests.e2e.program import Ground, Report
from tests.stores import RealStore
from tests.unit.service.job_builders import without_places

ARMS: Final = ("csv", "inventory")
_THREADS: Final = 8
_SECONDS: Final = 500
_DEFAULT_TYPES: Final = frozenset({"", DEFAULT_TYPE, "application/octet-stream"})
_SHOWN: Final = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
)
_PUT_ARGUMENTS: Final = {
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
    "content-type": "ContentType",
    "expires": "Expires",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRun:
    """A case over one kind of manifest."""

    case: Case
    arm: str

    @property
    def name(self) -> str:
        return f"{self.case.name}-{self.arm}"

    @property
    def folder(self) -> str:
        return f"{self.case.name}/{self.arm}"

    def keys(self) -> dict[str, Source]:
        return {f"{self.folder}/{name}": source for name, source in self.case.sources.items()}

    def expected_rows(self) -> list[tuple[str, ...]]:
        """Key, status, error code and HTTP status of every row."""
        rows = []
        for name in self.case.sources:
            failure = self.case.failing.get(name)
            rows.append((f"{self.folder}/{name}", *(("failed", *failure) if failure else ("succeeded", "", "200"))))
        return sorted(rows)

    def expected_looks(self, habits: frozenset[Habit] = frozenset()) -> dict[str, Look]:
        """By target key."""
        looks = {}
        for name, source in self.case.sources.items():
            key = f"{self.folder}/{name}"
            if name not in self.case.failing:
                looks[self.case.target_key(key)] = expected_look(self.case, source, key=key, habits=habits)
        return looks

    def __str__(self) -> str:
        return self.name


def runs_of(cases: Sequence[Case]) -> list[CaseRun]:
    return [
        CaseRun(case=case, arm=arm) for case in cases for arm in ARMS if arm == "inventory" or not case.only_with_sizes
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What came of all runs of a table."""

    ground: Ground
    target: RealStore
    target_bucket: str
    jobs: Mapping[str, Job]

    @property
    def habits(self) -> frozenset[Habit]:
        return HABITS[self.target.profile] if self.target is self.ground.store else frozenset()

    def rows(self, run: CaseRun) -> list[tuple[str, ...]]:
        return rows_of(self.ground.report(self.jobs[run.name].id))

    def looks(self, run: CaseRun) -> dict[str, Look]:
        """At every key that should be there."""
        store = self.ground.store if run.case.in_place else self.target
        bucket = self.ground.source if run.case.in_place else self.target_bucket
        keys = run.expected_looks()
        with ThreadPoolExecutor(_THREADS) as pool:
            return dict(zip(keys, pool.map(lambda key: look_at(store, bucket, key), keys), strict=True))


def rows_of(report: Report) -> list[tuple[str, ...]]:
    """Key, status, error code and HTTP status of every row."""
    return sorted((unquote_plus(row[1]), row[3], row[4], row[5]) for row in report.rows)


def carry_out(ground: Ground, cases: Sequence[Case], *, target: RealStore | None = None) -> Outcomes:
    """Puts all sources, and runs all cases over both kinds of manifest; ``target`` is a second store."""
    runs = runs_of(cases)
    boundary = put_sources(ground, runs)
    bucket = ground.target
    if target is not None:
        bucket = ground.source  # the same name and the same keys: another bucket all the same
        ground.write_settings(others={"there": target})
        target.admin().create_bucket(Bucket=bucket)
    documents = {run.name: case_document(ground, run, boundary=boundary, elsewhere=target is not None) for run in runs}
    jobs = asyncio.run(run_jobs(ground, documents))
    return Outcomes(ground=ground, target=target or ground.store, target_bucket=bucket, jobs=jobs)


async def run_jobs(ground: Ground, documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Job]:
    """All at once, each to its end."""
    settings = load_settings(ground.folder / "cosbatch.yaml")
    (ground.folder / "state").mkdir(exist_ok=True)
    async with asyncio.timeout(_SECONDS), open_engine(settings, ground.folder / "state") as engine:
        jobs = {}
        for name, document in documents.items():
            request = parse_job(without_places(document)).request
            jobs[name] = await engine.service.create_job(request, caller=LOCAL_CALLER)
        ends = await asyncio.gather(
            *(engine.wait_for(job.id, until=lambda now: is_final(now.status)) for job in jobs.values())
        )
    return dict(zip(jobs, ends, strict=True))


def case_document(ground: Ground, run: CaseRun, *, boundary: int, elsewhere: bool = False) -> dict[str, Any]:
    keys = run.keys()
    if run.arm == "csv":
        arn = ground.csv(keys, name=f"{run.name}.csv")
    else:
        arn = ground.inventory(
            prefix=f"{run.folder}/", missing=[key for key in keys if keys[key].is_missing], name=run.name
        )
    copy = {name: _filled(value, folder=run.folder, boundary=boundary) for name, value in run.case.copy.items()}
    if run.case.in_place or elsewhere:
        copy["target_resource"] = f"arn:aws:s3:::{ground.source}"
    if elsewhere:
        copy["target_region"] = "there"
    return ground.document(arn, copy=copy, verify="all" if run.arm == "inventory" else "sample", **run.case.job)


def _filled(value: Any, *, folder: str, boundary: int) -> Any:
    if value == BOUNDARY:
        return boundary
    return value.replace(FOLDER, folder) if isinstance(value, str) else value


# --- sources


def put_sources(ground: Ground, runs: Sequence[CaseRun]) -> int:
    """The second between the early sources and the late ones, on the store's clock."""
    sources = {key: source for run in runs for key, source in run.keys().items() if not source.is_missing}
    early = {key: source for key, source in sources.items() if not source.is_late}
    late = {key: source for key, source in sources.items() if source.is_late}
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda key: put_source(ground.store, ground.source, key, early[key]), early))
        boundary = put_and_date(ground) + 1
        while put_and_date(ground) <= boundary:
            time.sleep(0.1)
        list(pool.map(lambda key: put_source(ground.store, ground.source, key, late[key]), late))
    return boundary


def put_and_date(ground: Ground) -> int:
    """The store's clock, in whole seconds."""
    ground.client.put_object(Bucket=ground.control, Key="clock", Body=b"")
    return int(ground.client.head_object(Bucket=ground.control, Key="clock")["LastModified"].timestamp())


def put_source(store: RealStore, bucket: str, key: str, source: Source) -> None:
    client = store.admin()
    options: dict[str, Any] = {_PUT_ARGUMENTS[name]: value for name, value in source.headers.items()}
    if source.tags:
        options["Tagging"] = "&".join(f"{quote(name)}={quote(value)}" for name, value in source.tags.items())
    if source.storage_class != "STANDARD":
        options["StorageClass"] = source.storage_class
    client.put_object(Bucket=bucket, Key=key, Body=source.body(key), Metadata=dict(source.user), **options)
    if source.grants:
        shown = client.get_object_acl(Bucket=bucket, Key=key)
        grants = [*shown["Grants"], *({"Grantee": _grantee(who), "Permission": what} for who, what in source.grants)]
        client.put_object_acl(Bucket=bucket, Key=key, AccessControlPolicy={"Owner": shown["Owner"], "Grants": grants})


def _grantee(who: str) -> dict[str, str]:
    if who == "AllUsers":
        return {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    return {"Type": "CanonicalUser", "ID": who}


# --- looking


def look_at(store: RealStore, bucket: str, key: str) -> Look:
    client = store.admin()
    answer = client.get_object(Bucket=bucket, Key=key)
    body = answer["Body"].read()
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    tags = client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    _, _, parts = headers["etag"].strip('"').partition("-")
    return Look(
        body=body,
        headers={name: _shown(name, headers[name]) for name in _SHOWN if name in headers},
        user=dict(answer["Metadata"]),
        tags={tag["Key"]: tag["Value"] for tag in tags},
        grants=grants_of(store, bucket, key),
        storage_class=headers.get("x-amz-storage-class", "STANDARD"),
        encryption=headers.get("x-amz-server-side-encryption", ""),
        parts=int(parts or 1),
    )


def differences(seen: Mapping[str, Look], expected: Mapping[str, Look]) -> dict[str, dict[str, tuple[Any, Any]]]:
    """Key -> field -> (seen, expected), of what is not the same."""
    found = {}
    for key in expected:
        pairs = {part.name: (getattr(seen[key], part.name), getattr(expected[key], part.name)) for part in fields(Look)}
        changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        if changed:
            found[key] = {name: ("...", "...") if name == "body" else pair for name, pair in changed.items()}
    return found


def _shown(name: str, value: str) -> str:
    """One spelling for what stores spell in their own ways."""
    if name == "expires":
        return format_datetime(parsedate_to_datetime(value), usegmt=True)
    return DEFAULT_TYPE if name == "content-type" and value in _DEFAULT_TYPES else value


def grants_of(store: RealStore, bucket: str, key: str) -> frozenset[tuple[str, str]]:
    shown = store.admin().get_object_acl(Bucket=bucket, Key=key)
    grants = {(_name_of(grant["Grantee"]), grant["Permission"]) for grant in shown["Grants"]}
    return frozenset(grants - {(shown["Owner"]["ID"], "FULL_CONTROL")})


def _name_of(grantee: Mapping[str, str]) -> str:
    return grantee.get("ID") or grantee["URI"].rpartition("/")[2]


# --- judging


def check(outcomes: Outcomes, run: CaseRun) -> None:
    """Refused as a whole where the profile says so, else true in every row."""
    job = outcomes.jobs[run.name]
    refused = refusals(run.case, PROFILES[outcomes.target.profile])
    if refused:
        assert (job.status, job.failure_code) == (JobStatus.FAILED, FailureCode.UNSUPPORTED_OPTION)
        for word in (*refused, f"a {outcomes.target.profile} store"):
            assert word in job.failure_reason
        assert (job.total, job.tally.requests) == (None, 0)
        return
    assert job.status is JobStatus.COMPLETE, job.failure_reason
    rows = outcomes.rows(run)
    assert rows == run.expected_rows(), rows
    found = differences(outcomes.looks(run), run.expected_looks(outcomes.habits))
    assert not found, found
    assert job.tally.ignored_options == {}
