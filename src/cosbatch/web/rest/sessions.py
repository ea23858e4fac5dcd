"""Logging in and out, and who one is. What scripts use instead are API tokens."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Body, Response
from pydantic import Field
from starlette.requests import Request

from cosbatch.model.errors import Fault, InvalidArgument, NotAllowed, NotAuthenticated
from cosbatch.model.principals import Caller, UserRole
from cosbatch.service.sign_in import SignIn
from cosbatch.web.calls import CALLER
from cosbatch.web.rest.callers import (
    address_of,
    credential_of,
    csrf_token,
    drop_session_cookie,
    set_session_cookie,
)
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import AllDesks, Desks, WhoCalls
from cosbatch.web.rest.errors import RestRefusal
from cosbatch.web.rest.operator import acting
from cosbatch.web.rest.shapes import Form, View

TAG: Final = "session"
_TEXT_MAX: Final = 1024
_EXAMPLE: Final[dict[str, Any]] = {
    "user": "alice",
    "role": "operator",
    "account": {"id": "acc-main", "name": "main"},
    "via": "console",
    "operations": ["get_session", "list_jobs", "create_job"],
    "is_service_operator": False,
    "must_change_password": False,
    "csrf_token": "6f0d3c0a7cbb3f3bd4e0b1e6c0a5d6d3a6c1b0f5f4e3d2c1b0a9988776655443",
}


def session_calls() -> list[Call]:
    return [
        Call(
            method="POST",
            path="/session",
            answer=log_in,
            access=Access.OPEN,
            tag=TAG,
            summary="Log in",
            shape=SessionView,
            asked={"user": "alice", "password": "four words in a row"},
            example=_EXAMPLE,
            refusals={401: "The user's name or the password is wrong.", 403: "It comes from a page of another origin."},
            proves_password=True,
            has_secrets=True,
        ),
        Call(
            method="GET",
            path="/session",
            answer=get_session,
            access=Access.OWN,
            tag=TAG,
            summary="Say who calls",
            shape=SessionView,
            example=_EXAMPLE,
        ),
        Call(
            method="DELETE",
            path="/session",
            answer=log_out,
            access=Access.OWN,
            tag=TAG,
            summary="Log out",
            status=204,
        ),
        Call(
            method="PUT",
            path="/session/password",
            answer=change_password,
            access=Access.OWN,
            tag=TAG,
            summary="Change the own password",
            status=204,
            asked={"password": "four words in a row", "new_password": "four other words in a row"},
            proves_password=True,
            has_secrets=True,
        ),
    ]


class LoginForm(Form):
    user: str = Field(max_length=_TEXT_MAX)
    password: str = Field(max_length=_TEXT_MAX)


class PasswordForm(Form):
    password: str = Field(max_length=_TEXT_MAX, description="The present one.")
    new_password: str = Field(max_length=_TEXT_MAX)


class AccountOfCaller(View):
    id: str
    name: str


class SessionView(View):
    """Who calls."""

    user: str
    role: UserRole = Field(description="What the caller may do; of an API token no more than its scopes let.")
    account: AccountOfCaller
    via: str = Field(description="`console` for a session, `rest` for an API token.")
    operations: list[str] = Field(description="Ids of all calls that the caller may make.")
    is_service_operator: bool = Field(
        description="Acts for the whole service: changes regions and accounts, and sees people of all accounts."
    )
    must_change_password: bool = Field(description="Nothing else is possible before `change_password`.")
    csrf_token: str | None = Field(description="For the header `x-csrf-token` of writes; null for an API token.")


async def log_in(
    form: Annotated[LoginForm, Body()], desks: AllDesks, request: Request, response: Response
) -> SessionView:
    """Begins a session and sets its cookie. A session that the browser had before ends."""
    before = credential_of(request).session
    found = await desks.sign_in.log_in(user=form.user, password=form.password, address=address_of(request))
    request.scope["state"][CALLER] = found.caller
    if before:
        await desks.sign_in.log_out(before)
    seconds = found.session.expires_at - found.session.created_at
    set_session_cookie(response, request, found.text, seconds=seconds)
    return _view(found.caller, desks, session=found.text, must_change=found.must_change_password)


async def get_session(desks: AllDesks, caller: WhoCalls, request: Request) -> SessionView:
    """Also of an API token."""
    session = _session_of(request)
    must_change = bool(session) and await _must_change_password(desks.sign_in, session)
    return _view(caller, desks, session=session, must_change=must_change)


async def log_out(desks: AllDesks, request: Request, response: Response) -> None:
    """Ends the session of the cookie."""
    await desks.sign_in.log_out(_needed_session(request, "there is no session to end: an API token is revoked instead"))
    drop_session_cookie(response, request)


async def change_password(
    form: Annotated[PasswordForm, Body()], desks: AllDesks, caller: WhoCalls, request: Request, response: Response
) -> None:
    """Ends all sessions of the user, also this one: log in again with the new password."""
    _needed_session(request, "an API token cannot change its user's password: log in for that")
    try:
        await desks.sign_in.change_password(
            user=caller.user,
            password=form.password,
            new_password=form.new_password,
            address=address_of(request),
        )
    except NotAuthenticated:
        fault = Fault(path="password", value="", problem="is not the present one", way_out="write the present one")
        raise InvalidArgument("the password cannot be changed", faults=[fault]) from None
    drop_session_cookie(response, request)


def _session_of(request: Request) -> str:
    """Empty where the call was let in by an API token."""
    return credential_of(request).session


def _needed_session(request: Request, otherwise: str) -> str:
    session = _session_of(request)
    if not session:
        raise RestRefusal("InvalidRequest", otherwise, http_status=400)
    return session


async def _must_change_password(sign_in: SignIn, session: str) -> bool:
    try:
        await sign_in.caller_of_session(session)
    except NotAllowed:
        return True
    return False


def _operations(caller: Caller, desks: Desks, *, is_service_operator: bool) -> list[str]:
    """In the order of the document. What the gate and the verbs let in, so that pages offer nothing else."""
    return [
        call.operation_id
        for call in desks.calls()
        if (call.access.role is None or caller.role.may(call.access.role))
        and (is_service_operator or not call.is_of_service_operator)
    ]


def _view(caller: Caller, desks: Desks, *, session: str, must_change: bool) -> SessionView:
    is_service_operator = acting(caller, desks) != caller
    return SessionView(
        user=caller.user,
        role=caller.role,
        account=AccountOfCaller(id=caller.account.id, name=caller.account.name),
        via=caller.via,
        operations=_operations(caller, desks, is_service_operator=is_service_operator),
        is_service_operator=is_service_operator,
        must_change_password=must_change,
        csrf_token=csrf_token(session) if session else None,
    )
