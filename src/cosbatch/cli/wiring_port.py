"""What the command line asks of the wiring: a protocol, so that a test can put the whole engine in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # a run needs few of the services that are named here
    from cosbatch.manifests.inspect import Inspection
    from cosbatch.model.identifiers import Bucket, JobId, RegionName
    from cosbatch.model.jobs import Job
    from cosbatch.model.manifests import Manifest
    from cosbatch.model.principals import Caller
    from cosbatch.model.regions import Region
    from cosbatch.service.estimates import Estimates
    from cosbatch.service.follow_up import FollowUp
    from cosbatch.service.follow_up_checks import JobChecks
    from cosbatch.service.key_rotation import Rotation
    from cosbatch.service.people import People
    from cosbatch.service.regions import RegionService
    from cosbatch.service.report_downloads import ReportDownloads
    from cosbatch.service.roles import RoleService
    from cosbatch.service.service import JobService
    from cosbatch.service.webhooks import WebhookService
    from cosbatch.settings import LogFormat, Settings
    from cosbatch.storage.probe import Probed


class Load(Protocol):
    """What is sent at present, over all processes of the state folder."""

    @property
    def in_flight(self) -> int:
        """Requests that wait for their answer."""
        ...

    @property
    def limit(self) -> int:
        """How many may do so at a time, of the buckets that are asked."""
        ...


class RunningEngine(Protocol):
    """Planner, scheduler, workers and finisher, while its context is open."""

    @property
    def service(self) -> JobService: ...

    async def wait_for(
        self, job_id: JobId, *, until: Callable[[Job], bool], on_progress: Callable[[Job, Load], None]
    ) -> Job:
        """The job as soon as ``until`` says so; ``on_progress`` is told about it now and then."""
        ...


class RunningService(Protocol):
    """API and engine, while its context is open."""

    @property
    def address(self) -> str:
        """``http[s]://host:port``."""
        ...

    @property
    def first_run(self) -> Path | None:
        """What the first start of the folder has written, where this was it."""
        ...

    async def until_broken(self) -> None:
        """Until a part of it ends by an error; raises that."""
        ...


class Wiring(Protocol):
    def open_service(
        self, settings: Settings, state_folder: Path, /, *, account: str = ""
    ) -> AbstractAsyncContextManager[JobService]:
        """Ledger and service alone. NoSuchName where there is no such account."""
        ...

    def open_follow_up(self, settings: Settings, state_folder: Path, /) -> AbstractAsyncContextManager[FollowUp]:
        """Retries, clones and deliveries of reports; ledger and work area alone."""
        ...

    def open_job_checks(
        self, settings: Settings, state_folder: Path, /, *, account: str = ""
    ) -> AbstractAsyncContextManager[JobChecks]:
        """Pre-flight and estimates of jobs that are not made, and of retries. A folder gets a ledger by it, whose audit
        log names each check. NoSuchName where there is no such account."""
        ...

    def open_report_downloads(self, state_folder: Path, /) -> AbstractAsyncContextManager[ReportDownloads]:
        """Results as they are kept; ledger and work area alone."""
        ...

    def has_jobs(self, state_folder: Path, /) -> bool:
        """False where no job was ever made in the folder."""
        ...

    def logging_to_folder(
        self, state_folder: Path, /, *, level: str, log_format: LogFormat = ...
    ) -> AbstractContextManager[None]:
        """Log lines of this process go into ``cosbatch.log`` while the context is open."""
        ...

    def engine_supervisor(self, settings: Settings, /) -> AbstractContextManager[Any]:
        """Where the engine's processes come from, for ``open_engine`` and ``open_serving``: to be begun while there are
        neither threads nor an event loop, and before a secret is read that they shall not have."""
        ...

    def open_engine(
        self, settings: Settings, state_folder: Path, /, *, log_level: str = "info", supervisor: Any = None
    ) -> AbstractAsyncContextManager[RunningEngine]:
        """Leaving the context stops it cleanly: requests in flight are waited for."""
        ...

    def open_serving(
        self,
        settings: Settings,
        state_folder: Path,
        /,
        *,
        host: str,
        port: int,
        log_level: str = "info",
        supervisor: Any = None,
        sample: Mapping[str, Any] | None = None,
    ) -> AbstractAsyncContextManager[RunningService]:
        """Leaving the context stops it cleanly: calls and requests under way are waited for. ``sample``: the document
        of a job that a newcomer can begin with."""
        ...

    async def inspect(
        self, settings: Settings, region: RegionName, manifest: Manifest, *, guess_format: bool = False
    ) -> Inspection:
        """``guess_format``: the manifest's content tells its format, not ``manifest``."""
        ...

    def open_estimates(self, settings: Settings, state_folder: Path, /) -> AbstractAsyncContextManager[Estimates]:
        """A ledger is not made where there is none."""
        ...

    async def probe(self, settings: Settings, region: RegionName, bucket: Bucket, prefix: str) -> Probed:
        """What a store does with each option."""
        ...

    def open_people(
        self, settings: Settings, state_folder: Path, /, *, may_make: bool = False
    ) -> AbstractAsyncContextManager[People]:
        """InvalidArgument where there is no ledger in the folder, unless ``may_make`` lets one be made."""
        ...

    def open_roles(
        self, settings: Settings, state_folder: Path, /, *, account: str = ""
    ) -> AbstractAsyncContextManager[RoleService]:
        """The registry of roles of the folder. NoSuchName where there is no such account."""
        ...

    def open_regions(
        self, settings: Settings, state_folder: Path, /, *, may_make: bool = False
    ) -> AbstractAsyncContextManager[RegionService]:
        """InvalidArgument where there is no ledger in the folder, unless ``may_make`` lets one be made."""
        ...

    def open_webhooks(self, settings: Settings, state_folder: Path, /) -> AbstractAsyncContextManager[WebhookService]:
        """InvalidArgument where there is no ledger in the folder."""
        ...

    async def known_regions(self, settings: Settings, state_folder: Path, /) -> Mapping[RegionName, Region]:
        """Those that jobs of the folder may name."""
        ...

    async def rotate_key(self, settings: Settings, state_folder: Path, /, *, caller: Caller) -> Rotation:
        """InvalidArgument where something works on the folder."""
        ...

    def back_up_ledger(self, state_folder: Path, to: Path, /, *, force: bool = False) -> int:
        """How many bytes the file has."""
        ...

    def restore_ledger(self, state_folder: Path, source: Path, /, *, force: bool = False) -> Path | None:
        """Where the ledger is now that was there. InvalidArgument where something works on the folder."""
        ...
