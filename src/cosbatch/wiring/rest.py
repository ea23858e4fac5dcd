"""What the JSON API is made of, over a running service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosbatch import __version__
from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.credentials import Credentials, StaticCredentials
from cosbatch.identity.passwords import Passwords
from cosbatch.ledger.people_port import PeopleBook
from cosbatch.ledger.sql_ledger import SqlLedger
from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import RegionName
from cosbatch.service.browsing import Browsing
from cosbatch.service.follow_up_checks import FollowUpChecker
from cosbatch.service.founding import FirstRunFile
from cosbatch.service.job_listing import JobListDesk
from cosbatch.service.job_outlook import JobLimits
from cosbatch.service.people import People
from cosbatch.service.role_desk import RoleDesk
from cosbatch.service.service import JobService
from cosbatch.service.sign_in import SignIn
from cosbatch.settings import Settings
from cosbatch.settings.shown import shown_settings
from cosbatch.storage.port import BrowsedStore
from cosbatch.web.rest.app import all_calls
from cosbatch.web.rest.desks import Desks
from cosbatch.web.rest.limits import CallRates
from cosbatch.wiring.engine import engine_limits
from cosbatch.wiring.estimates import estimate_of_check, estimates
from cosbatch.wiring.follow_up import follow_up, report_downloads
from cosbatch.wiring.job_checks import job_checker
from cosbatch.wiring.regions import region_service
from cosbatch.wiring.roles import role_service
from cosbatch.wiring.service import role_desk
from cosbatch.wiring.stores import RegionStores, profile_of
from cosbatch.wiring.webhooks import webhook_service


@dataclass(frozen=True, slots=True, kw_only=True)
class RestParts:
    """What a service has open. The desks of the API are made of these."""

    settings: Settings
    data_dir: Path
    clock: Clock
    ledger: SqlLedger
    book: PeopleBook
    cipher: Cipher
    passwords: Passwords
    stores: RegionStores
    roles: RoleDesk | None
    service: JobService
    sign_in: SignIn
    sample: Mapping[str, Any] | None = None
    """The document of a job that a newcomer can begin with."""


def rest_desks(parts: RestParts) -> Desks:
    desk = parts.roles or role_desk(parts.settings, parts.ledger, cipher=parts.cipher, regions=parts.stores.regions)
    found = estimates(parts.settings, parts.stores, ledger=parts.ledger, desk=desk)
    following = follow_up(parts.service, parts.ledger, parts.data_dir)
    checker = job_checker(
        parts.settings,
        parts.data_dir,
        ledger=parts.ledger,
        service=parts.service,
        stores=parts.stores,
        desk=desk,
        clock=parts.clock,
        record=parts.book.record,
        estimate=estimate_of_check(found),
    )
    return Desks(
        version=__version__,
        clock=parts.clock,
        record=parts.book.record,
        rates=call_rates(parts.settings),
        calls=all_calls,
        regions=parts.stores.regions,
        look_again=parts.stores.look_again,
        profile_of=profile_of,
        sign_in=parts.sign_in,
        jobs=parts.service,
        job_limits=job_limits(parts.settings),
        settings=shown_settings(parts.settings),
        deletes_allowed=parts.settings.server.deletes_allowed,
        sample=parts.sample,
        # --- lists of jobs, series, failures
        lists=JobListDesk(parts.ledger, regions=parts.stores.regions, profile_of=profile_of),
        # --- checks before a job runs, estimates
        checker=checker,
        estimates=found,
        # --- retries, clones, reports
        follow_up=following,
        follow_up_checks=FollowUpChecker(following, checker, estimates=found, record=parts.book.record),
        reports=report_downloads(parts.ledger, parts.data_dir, clock=parts.clock),
        # --- people, keys, tokens, roles, regions, audit, browsing
        people=_people(parts),
        operator_account=parts.settings.server.operator_account,
        roles=role_service(
            ledger=parts.ledger, desk=desk, cipher=parts.cipher, stores=parts.stores, record=parts.book.record
        ),
        region_table=region_service(parts.settings, ledger=parts.ledger),
        browsing=_browsing(parts, desk),
        # --- webhooks
        webhooks=webhook_service(parts.settings, ledger=parts.ledger, cipher=parts.cipher, clock=parts.clock),
    )


def _browsing(parts: RestParts, desk: RoleDesk) -> Browsing:
    stores = parts.stores

    def open_store(region: RegionName, credentials: Credentials | None) -> BrowsedStore:
        """The bare store: a person waits, and wants the refusal rather than a long hold."""
        if credentials is None:
            return stores.plain(region)
        return stores.signed_by(StaticCredentials(credentials), stores.region(region))

    return Browsing(
        regions=stores.regions,
        with_credentials=frozenset(
            RegionName(name) for name, region in parts.settings.regions.items() if region.credentials is not None
        ),
        look_again=stores.look_again,
        desk=desk,
        open_store=open_store,
    )


def _people(parts: RestParts) -> People:
    return People(
        parts.book,
        cipher=lambda: parts.cipher,
        passwords=parts.passwords,
        clock=parts.clock,
        forget_first_run=FirstRunFile(parts.data_dir).forget,
    )


def job_limits(settings: Settings) -> JobLimits:
    """Those that the engine keeps to."""
    kept = engine_limits(settings)
    return JobLimits(
        suspended_expiry_seconds=kept.suspended_expiry_seconds,
        hold_limit_seconds=kept.hold_limit_seconds,
        report_limit_seconds=kept.report_limit_seconds,
        retention_seconds=kept.retention_seconds,
    )


def call_rates(settings: Settings) -> CallRates:
    return CallRates(
        calls_per_minute=settings.server.calls_per_minute,
        logins_per_minute=settings.server.logins_per_minute,
    )
