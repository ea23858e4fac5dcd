"""The client that waits for each answer. :class:`cosbatch.client.AsyncClient` has the same methods as coroutines."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from cosbatch.client import job_calls, people_calls, region_calls, role_calls, service_calls, webhook_calls
from cosbatch.client.calls import ApiCall, any_call
from cosbatch.client.http_transport import HttpTransport, ServerAddress
from cosbatch.client.methods import Method
from cosbatch.client.paging import Paged
from cosbatch.client.patience import Patience, Waiting
from cosbatch.client.people_shapes import Session
from cosbatch.client.session import SessionProof
from cosbatch.client.transport import Transport
from cosbatch.model.errors import CosbatchError, ServiceUnreachable
from cosbatch.model.jobs import Job
from cosbatch.model.states import is_final

P = ParamSpec("P")
T = TypeVar("T")


class Client:
    """A service, and whoever's token it is. To be closed, which leaving its context does."""

    def __init__(
        self,
        url: str = "",
        *,
        token: str = "",
        ca_file: Path | None = None,
        transport: Transport | None = None,
        patience: Patience | None = None,
    ) -> None:
        """``transport`` in place of ``url``, ``token`` and ``ca_file``: whoever brings one closes it himself."""
        self._own: HttpTransport | None = None
        if transport is None:
            self._own = transport = HttpTransport(ServerAddress(url=url, token=token, ca_file=ca_file))
        self._transport = transport
        self._patience = patience or Patience()
        self._proof = SessionProof()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._own is not None:
            self._own.close()

    # --- jobs

    create_job = Method(job_calls.create_job)
    describe_job = Method(job_calls.describe_job)
    job_outlook = Method(job_calls.job_outlook)
    list_jobs = Method(job_calls.list_jobs)
    update_job_priority = Method(job_calls.update_job_priority)
    update_job_status = Method(job_calls.update_job_status)
    confirm_job = Method(job_calls.confirm_job)
    cancel_job = Method(job_calls.cancel_job)
    pause_job = Method(job_calls.pause_job)
    resume_job = Method(job_calls.resume_job)
    delete_job = Method(job_calls.delete_job)
    job_failures = Method(job_calls.job_failures)
    job_failures_of_code = Method(job_calls.job_failures_of_code)
    job_series = Method(job_calls.job_series)
    job_events = Method(job_calls.job_events)
    preview_report = Method(job_calls.preview_report)
    download_report = Method(job_calls.download_report)
    download_summary = Method(job_calls.download_summary)
    check_job = Method(job_calls.check_job)
    job_preflight = Method(job_calls.job_preflight)
    job_estimate = Method(job_calls.job_estimate)
    check_retry = Method(job_calls.check_retry)
    check_clone = Method(job_calls.check_clone)
    retry_failed = Method(job_calls.retry_failed)
    clone_job = Method(job_calls.clone_job)
    redeliver_report = Method(job_calls.redeliver_report)

    # --- people, their keys and tokens

    list_accounts = Method(people_calls.list_accounts)
    create_account = Method(people_calls.create_account)
    describe_account = Method(people_calls.describe_account)
    update_account = Method(people_calls.update_account)
    list_users = Method(people_calls.list_users)
    create_user = Method(people_calls.create_user)
    describe_user = Method(people_calls.describe_user)
    update_user = Method(people_calls.update_user)
    delete_user = Method(people_calls.delete_user)
    reset_password = Method(people_calls.reset_password)
    list_access_keys = Method(people_calls.list_access_keys)
    create_access_key = Method(people_calls.create_access_key)
    update_access_key = Method(people_calls.update_access_key)
    delete_access_key = Method(people_calls.delete_access_key)
    list_tokens = Method(people_calls.list_tokens)
    create_token = Method(people_calls.create_token)
    revoke_token = Method(people_calls.revoke_token)

    # --- roles

    list_roles = Method(role_calls.list_roles)
    create_role = Method(role_calls.create_role)
    describe_role = Method(role_calls.describe_role)
    replace_role_key = Method(role_calls.replace_role_key)
    delete_role = Method(role_calls.delete_role)
    test_role = Method(role_calls.test_role)
    role_policies = Method(role_calls.role_policies)

    # --- regions and their stores

    list_regions = Method(region_calls.list_regions)
    create_region = Method(region_calls.create_region)
    describe_region = Method(region_calls.describe_region)
    update_region = Method(region_calls.update_region)
    delete_region = Method(region_calls.delete_region)
    test_region = Method(region_calls.test_region)
    list_buckets = Method(region_calls.list_buckets)
    list_objects = Method(region_calls.list_objects)
    inspect_manifest = Method(region_calls.inspect_manifest)
    check_manifest = Method(region_calls.check_manifest)

    # --- webhooks

    list_webhooks = Method(webhook_calls.list_webhooks)
    create_webhook = Method(webhook_calls.create_webhook)
    describe_webhook = Method(webhook_calls.describe_webhook)
    delete_webhook = Method(webhook_calls.delete_webhook)
    enable_webhook = Method(webhook_calls.enable_webhook)
    disable_webhook = Method(webhook_calls.disable_webhook)
    rotate_webhook_secret = Method(webhook_calls.rotate_webhook_secret)
    test_webhook = Method(webhook_calls.test_webhook)
    webhook_deliveries = Method(webhook_calls.webhook_deliveries)
    redeliver_message = Method(webhook_calls.redeliver_message)

    # --- the service itself

    get_capabilities = Method(service_calls.get_capabilities)
    get_openapi_document = Method(service_calls.get_openapi_document)
    list_settings = Method(service_calls.list_settings)
    list_audit = Method(service_calls.list_audit)
    download_audit = Method(service_calls.download_audit)
    call = Method(any_call)

    # --- the own session

    def log_in(self, user: str, password: str) -> Session:
        """Begins a session, which this client keeps as a browser does. Programs have an API token in place of one."""
        return self._proof.of(self.make(people_calls.log_in(user, password)))

    def get_session(self) -> Session:
        """Who calls, by session or API token."""
        return self._proof.of(self.make(people_calls.get_session()))

    def log_out(self) -> None:
        """Ends the session."""
        self.make(people_calls.log_out())

    def change_password(self, password: str, new_password: str) -> None:
        """The own one. Ends all sessions of the user, also this one."""
        self.make(people_calls.change_password(password, new_password))

    # --- pages

    def every(self, pages: Callable[P, Paged[T]], *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        """What all pages of a list have, one after another: ``client.every(client.list_users, account="main")``."""
        cursor = ""
        while True:
            if cursor:
                kwargs["cursor"] = cursor
            page = pages(*args, **kwargs)
            yield from page.items
            cursor = page.next_cursor
            if not cursor:
                return

    # --- waiting

    def wait_for_job(
        self,
        job_id: str,
        *,
        until: Callable[[Job], bool] = lambda job: is_final(job.status),
        timeout_seconds: float | None = None,
    ) -> Job:
        """The job as soon as ``until`` holds, by default when it has ended. TimeoutError where it does not in time.

        A service that does not answer for a while is borne (:class:`Patience`)."""
        waiting = Waiting(self._patience, now=time.monotonic(), timeout_seconds=timeout_seconds)
        while True:
            try:
                job = self.describe_job(job_id)
            except CosbatchError as error:
                waiting.bear(error, time.monotonic())
            else:
                waiting.heard(time.monotonic())
                if until(job):
                    return job
            time.sleep(waiting.pause(time.monotonic()))

    def watch_job(self, job_id: str, *, timeout_seconds: float | None = None) -> Iterator[Job]:
        """The job now, each time when it has changed, and once more when it has ended."""
        seen: Job | None = None
        ends_at = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while seen is None or not is_final(seen.status):
            left = None if ends_at is None else max(ends_at - time.monotonic(), 0.0)
            seen = self.wait_for_job(job_id, until=partial(operator.ne, seen), timeout_seconds=left)
            yield seen

    # --- how

    def make(self, call: ApiCall[T]) -> T:
        """Sends a call, once more where that does no harm, and reads its answer."""
        attempt = 0
        request = self._proof.added_to(call.request)
        while True:
            attempt += 1
            try:
                answer = self._transport.send(request)
            except ServiceUnreachable as error:
                pause = self._patience.pause_after_silence(call, attempt=attempt)
                if pause is None:
                    raise call.silent(error) from error
            else:
                pause = self._patience.pause_after_answer(call, answer, attempt=attempt)
                if pause is None:
                    return call.read(answer)
            time.sleep(pause)
