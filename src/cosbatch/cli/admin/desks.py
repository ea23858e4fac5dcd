"""Opens the desks that verbs of ``cosbatch admin`` ask: of a data folder, or of a service over the network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from cosbatch.cli.invocation import Invocation, run_async
from cosbatch.model.errors import Fault, InvalidArgument

if TYPE_CHECKING:  # --help imports neither pydantic nor SQLAlchemy
    from cosbatch.cli.admin.ports import PeopleDesk, RegionDesk, RoleDesk, WebhookDesk
    from cosbatch.model.principals import Caller
    from cosbatch.settings.profiles import ServiceLogin

Answer = TypeVar("Answer")
Desk = TypeVar("Desk")


def ask_people(
    invocation: Invocation, work: Callable[[PeopleDesk], Awaitable[Answer]], *, may_make: bool = False
) -> Answer:
    """``may_make``: a folder without a ledger gets one."""
    return _ask(_people(invocation, may_make=may_make), work)


def ask_regions(
    invocation: Invocation, work: Callable[[RegionDesk], Awaitable[Answer]], *, may_make: bool = False
) -> Answer:
    """``may_make`` as for people."""
    return _ask(_regions(invocation, may_make=may_make), work)


def ask_roles(invocation: Invocation, account: str, work: Callable[[RoleDesk], Awaitable[Answer]]) -> Answer:
    """Those of ``account``; over the network the token says whose."""
    return _ask(_roles(invocation, account), work)


def ask_webhooks(invocation: Invocation, account: str, work: Callable[[WebhookDesk], Awaitable[Answer]]) -> Answer:
    """As roles."""
    return _ask(_webhooks(invocation, account), work)


def login_for(invocation: Invocation, account: str) -> ServiceLogin | None:
    """``--account`` names one of a data folder. Together with a service that was named too it is a mistake; one that
    only the surroundings name is not meant then."""
    if not account:
        return invocation.login
    named = replace(invocation, is_folder_named=True)
    return named.login


def check_is_here(invocation: Invocation, name: str) -> None:
    """For what works on files. InvalidArgument where a service was named on the command line."""
    for path, value in (("--server", invocation.server), ("--profile", invocation.profile)):
        if value:
            problem = f"names a service over the network, and {name} works on the files of a data folder"
            way_out = f"run cosbatch admin {name} --data DIR on the service's own host"
            fault = Fault(path=path, value=value, problem=problem, way_out=way_out)
            raise InvalidArgument(f"{name} is for the service's own host", faults=[fault])


def operator() -> Caller:
    """Whoever runs this program, by the name that the system has for it."""
    from cosbatch.cli.callers import user_name
    from cosbatch.service.people import local_operator

    return local_operator(user_name())


def _ask(opened: AbstractAsyncContextManager[Desk], work: Callable[[Desk], Awaitable[Answer]]) -> Answer:
    async def ask() -> Answer:
        async with opened as desk:
            return await work(desk)

    return run_async(ask())


@asynccontextmanager
async def _people(invocation: Invocation, *, may_make: bool) -> AsyncIterator[PeopleDesk]:
    login = invocation.login
    if login is not None:
        from cosbatch.cli.admin.remote_people import RemotePeople
        from cosbatch.cli.remote_jobs import remote_client

        async with remote_client(login) as client:
            yield RemotePeople(client)
        return
    from cosbatch.cli.admin.embedded_desks import EmbeddedPeople

    folder = invocation.state_folder
    async with invocation.wiring.open_people(invocation.settings(), folder, may_make=may_make) as people:
        yield EmbeddedPeople(people, caller=operator())


@asynccontextmanager
async def _regions(invocation: Invocation, *, may_make: bool) -> AsyncIterator[RegionDesk]:
    login = invocation.login
    if login is not None:
        from cosbatch.cli.admin.remote_regions import RemoteRegions
        from cosbatch.cli.remote_jobs import remote_client

        async with remote_client(login) as client:
            yield RemoteRegions(client)
        return
    from cosbatch.cli.admin.embedded_desks import EmbeddedRegions

    folder = invocation.state_folder
    async with invocation.wiring.open_regions(invocation.settings(), folder, may_make=may_make) as regions:
        yield EmbeddedRegions(regions, caller=operator())


@asynccontextmanager
async def _roles(invocation: Invocation, account: str) -> AsyncIterator[RoleDesk]:
    login = login_for(invocation, account)
    if login is not None:
        from cosbatch.cli.admin.remote_roles import RemoteRoles
        from cosbatch.cli.remote_jobs import remote_client

        async with remote_client(login) as client:
            yield RemoteRoles(client)
        return
    from cosbatch.cli.admin.embedded_desks import EmbeddedRoles

    folder = invocation.state_folder
    async with invocation.wiring.open_roles(invocation.settings(), folder, account=account) as roles:
        yield EmbeddedRoles(roles, caller=_acting(account))


@asynccontextmanager
async def _webhooks(invocation: Invocation, account: str) -> AsyncIterator[WebhookDesk]:
    login = login_for(invocation, account)
    if login is not None:
        from cosbatch.cli.admin.remote_webhooks import RemoteWebhooks
        from cosbatch.cli.remote_jobs import remote_client

        async with remote_client(login) as client:
            yield RemoteWebhooks(client)
        return
    from cosbatch.cli.admin.embedded_desks import EmbeddedWebhooks

    async with invocation.wiring.open_webhooks(invocation.settings(), invocation.state_folder) as webhooks:
        yield EmbeddedWebhooks(webhooks, caller=_acting(account))


def _acting(account: str) -> Caller:
    from cosbatch.model.identifiers import LOCAL_ACCOUNT
    from cosbatch.service.people_names import account_id

    caller = operator()
    return replace(caller, account=replace(caller.account, id=account_id(account) if account else LOCAL_ACCOUNT))
