"""The API as one application, made from the tables of calls of this package's modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.routing import Mount

from cosbatch.web.rest.access_keys import access_key_calls
from cosbatch.web.rest.audit import audit_calls
from cosbatch.web.rest.browsing import browsing_calls
from cosbatch.web.rest.calls import PREFIX, Call
from cosbatch.web.rest.capabilities import capability_calls
from cosbatch.web.rest.desks import Desks
from cosbatch.web.rest.document import document_calls, openapi_document
from cosbatch.web.rest.errors import tell_errors
from cosbatch.web.rest.follow_up import follow_up_calls
from cosbatch.web.rest.gate import Gate, GatedRoute
from cosbatch.web.rest.job_checks import job_check_calls
from cosbatch.web.rest.job_lists import job_list_calls
from cosbatch.web.rest.jobs import job_calls
from cosbatch.web.rest.limits import CallCounts
from cosbatch.web.rest.manifest_checks import manifest_check_calls
from cosbatch.web.rest.manifests import manifest_calls
from cosbatch.web.rest.people import people_calls
from cosbatch.web.rest.regions import region_calls
from cosbatch.web.rest.reports import report_calls
from cosbatch.web.rest.roles import role_calls
from cosbatch.web.rest.sessions import session_calls
from cosbatch.web.rest.shown_settings import shown_setting_calls
from cosbatch.web.rest.tokens import token_calls
from cosbatch.web.rest.webhooks import webhook_calls


def all_calls() -> list[Call]:
    """In the order of the document; of two paths that fit, the first one counts."""
    return [
        *session_calls(),
        *document_calls(),
        *capability_calls(),
        *shown_setting_calls(),
        # --- lists of jobs, series, failures
        *job_list_calls(),
        # --- checks before a job runs, estimates
        *job_check_calls(),
        *job_calls(),
        # --- retries, clones, reports
        *follow_up_calls(),
        *report_calls(),
        # --- people, keys, tokens, roles, regions, audit, browsing
        *people_calls(),
        *access_key_calls(),
        *token_calls(),
        *role_calls(),
        *region_calls(),
        *browsing_calls(),
        *audit_calls(),
        *manifest_calls(),
        *manifest_check_calls(),
        # --- webhooks
        *webhook_calls(),
    ]


def rest_routes(desks: Desks) -> list[Mount]:
    return [Mount(PREFIX, app=rest_app(desks), name="rest")]


def rest_app(desks: Desks) -> FastAPI:
    """Serves the calls below ``/``; :func:`rest_routes` mounts it where it belongs."""
    app = bare_app(desks.calls(), version=desks.version)
    set_desks(app, desks)
    return app


def set_desks(app: FastAPI, desks: Desks) -> None:
    """From now on the routes answer from these desks, and count calls from nothing."""
    app.state.desks = desks
    app.state.gate = Gate(desks.calls(), desks=desks, counts=CallCounts(desks.rates))


def bare_app(calls: Sequence[Call], *, version: str) -> FastAPI:
    """The routes alone, for documents: nobody can call them."""
    app = FastAPI(
        title="cosbatch",
        version=version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        default_response_class=JSONResponse,
    )
    tell_errors(app)
    for call in calls:
        _add(app, call)

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi_document(app, calls)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
    return app


def _add(app: FastAPI, call: Call) -> None:
    app.router.add_api_route(
        call.path,
        call.answer,
        methods=[call.method],
        operation_id=call.operation_id,
        name=call.operation_id,
        summary=call.summary,
        tags=[call.tag],
        status_code=call.status,
        response_model=call.shape,
        route_class_override=GatedRoute,
    )
