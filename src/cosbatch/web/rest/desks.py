"""What the calls ask for what they do: the verbs of the service, and whatever else a module of calls needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import RegionName
from cosbatch.model.jobs import Job
from cosbatch.model.principals import Caller
from cosbatch.model.regions import Region
from cosbatch.service.audit import Record
from cosbatch.service.browsing import Browsing
from cosbatch.service.estimates import Estimates
from cosbatch.service.follow_up import FollowUp
from cosbatch.service.follow_up_checks import FollowUpChecker
from cosbatch.service.job_checks import JobChecker
from cosbatch.service.job_listing import JobListDesk
from cosbatch.service.job_outlook import JobLimits, JobOutlook, outlook_of
from cosbatch.service.people import People
from cosbatch.service.regions import RegionService
from cosbatch.service.report_downloads import ReportDownloads
from cosbatch.service.roles import RoleService
from cosbatch.service.service import JobService
from cosbatch.service.shown_settings import ShownSetting
from cosbatch.service.sign_in import SignIn
from cosbatch.service.webhooks import WebhookService
from cosbatch.storage.profiles import CapabilityProfile
from cosbatch.web.calls import CALLER
from cosbatch.web.rest.callers import own_address
from cosbatch.web.rest.calls import Call
from cosbatch.web.rest.limits import CallRates


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """Built by :mod:`cosbatch.wiring.rest`."""

    version: str
    clock: Clock
    record: Record
    """The audit log; told of refusals that come before any verb."""
    rates: CallRates
    calls: Callable[[], Sequence[Call]]
    """All calls of the API."""
    regions: Mapping[RegionName, Region]
    """As of the last look; the same object always shows the latest."""
    look_again: Callable[[], Awaitable[None]]
    """At the regions: another instance may have changed them."""
    profile_of: Callable[[Region], CapabilityProfile]
    sign_in: SignIn
    jobs: JobService
    job_limits: JobLimits
    settings: Sequence[ShownSetting]
    deletes_allowed: bool
    sample: Mapping[str, Any] | None
    """The document of a job that a newcomer can begin with."""

    # --- lists of jobs, series, failures (job_lists.py)
    lists: JobListDesk

    # --- checks before a job runs, estimates (job_checks.py)
    checker: JobChecker
    estimates: Estimates

    # --- retries, clones, reports (follow_up.py, reports.py)
    follow_up: FollowUp
    follow_up_checks: FollowUpChecker
    reports: ReportDownloads

    # --- people, keys, tokens, roles, regions, audit, browsing
    people: People
    operator_account: str
    """Name of the account whose admins act as the operator; empty: none has such."""
    roles: RoleService
    region_table: RegionService
    browsing: Browsing

    webhooks: WebhookService

    def outlook(self, job: Job) -> JobOutlook:
        """As of now."""
        return outlook_of(job, now=self.clock.now(), limits=self.job_limits)


async def _desks(request: Request) -> Desks:
    desks: Desks = request.app.state.desks
    return desks


async def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"][CALLER]
    return caller


async def _address(request: Request) -> str:
    return own_address(request)


AllDesks = Annotated[Desks, Depends(_desks)]
"""A parameter of this type gets the desks."""
WhoCalls = Annotated[Caller, Depends(_caller)]
"""A parameter of this type gets who calls; not in calls that are open to anybody."""
OwnAddress = Annotated[str, Depends(_address)]
"""A parameter of this type gets the address at which the caller reaches the service."""
