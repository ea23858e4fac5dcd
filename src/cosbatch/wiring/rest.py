"""What the JSON API is made of, over a running service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cosbatch import __version__
from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.passwords import Passwords
from cosbatch.ledger.people_port import PeopleBook
from cosbatch.ledger.sql_ledger import SqlLedger
from cosbatch.model.clock import Clock
from cosbatch.service.role_desk import RoleDesk
from cosbatch.service.service import JobService
from cosbatch.service.sign_in import SignIn
from cosbatch.settings import Settings
from cosbatch.web.rest.app import all_calls
from cosbatch.web.rest.desks import Desks
from cosbatch.web.rest.limits import CallRates
from cosbatch.wiring.job_checks import job_checker
from cosbatch.wiring.stores import RegionStores, profile_of


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


def rest_desks(parts: RestParts) -> Desks:
    return Desks(
        version=__version__,
        clock=parts.clock,
        record=parts.book.record,
        rates=call_rates(parts.settings),
        calls=all_calls,
        regions=parts.stores.regions,
        profile_of=profile_of,
        sign_in=parts.sign_in,
        jobs=parts.service,
        # --- lists of jobs, series, failures
        # --- checks before a job runs, estimates
        checker=job_checker(
            parts.settings,
            parts.data_dir,
            ledger=parts.ledger,
            service=parts.service,
            stores=parts.stores,
            desk=parts.roles,
            clock=parts.clock,
            record=parts.book.record,
        ),
        # --- retries, clones, reports
        # --- people, keys, tokens, roles, regions, audit, browsing
        # --- webhooks
    )


def call_rates(settings: Settings) -> CallRates:
    return CallRates(
        calls_per_minute=settings.server.calls_per_minute,
        logins_per_minute=settings.server.logins_per_minute,
    )
