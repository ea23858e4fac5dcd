"""An object store that repeats, paces and counts by itself: what an operation works with, one for each task.

What it raises is final for the request. A write whose outcome is not known always comes as :class:`Unanswered`,
whatever the store or the network said, and is never sent again; nothing else, and no read, comes as that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar, assert_never

from cosbatch.model.errors import StorageError, StorageReason, Unanswered
from cosbatch.model.identifiers import Bucket, ObjectRef, RegionName, VersionId
from cosbatch.model.operations import RestoreTier, Tag
from cosbatch.model.regions import Versioning
from cosbatch.storage.byte_gate import ByteGate
from cosbatch.storage.disposition import (
    Action,
    Blame,
    backoff_seconds,
    blame,
    disposition,
    is_local,
    is_outcome_unknown,
)
from cosbatch.storage.pacing import BucketPacer, PacerBoard, StopSignal, Ticket
from cosbatch.storage.port import (
    AccessControl,
    CompletedPart,
    CopyOptions,
    CopyOutcome,
    ListPage,
    LockRule,
    ObjectBody,
    ObjectMeta,
    ObjectStore,
    PutOptions,
    PutOutcome,
    RestoreOutcome,
    SizedBody,
    UploadedPart,
    UploadPage,
)

MAX_ATTEMPTS: Final = 10

_CAUSES_KEPT: Final = 8
_OTHER_CAUSES: Final = "other errors"

_P = ParamSpec("_P")
_T = TypeVar("_T")


class PersistentStore:
    """One task's view of one region's store, or that of one task after another with :meth:`begin` between them.

    A request that failed without having been applied is sent again, after a pause, up to ``max_attempts`` times. An
    attempt counts only if the bucket answered somebody since the request's previous one: a store that is down for an
    hour costs nobody an attempt, the requests wait for its pacer instead.

    ``permit`` is called right before each send and raises :class:`SendingStopped` where none may be made any more (the
    lease is over). Two signals end waits and pauses from outside with the same error: ``stop`` while nothing can have
    been written, which leaves the task as it was, and ``cut`` afterwards, when the outcome has to be looked up. None of
    them touches a request that is under way.
    """

    __slots__ = (
        "_board",
        "_causes",
        "_cut",
        "_inner",
        "_max_attempts",
        "_may_write",
        "_permit",
        "_random",
        "_stop",
        "has_failed",
        "has_written",
        "profile",
        "requests",
        "was_refused",
    )

    def __init__(
        self,
        inner: ObjectStore,
        board: PacerBoard,
        *,
        permit: Callable[[], None],
        random: Callable[[], float],
        stop: StopSignal | None = None,
        cut: StopSignal | None = None,
        max_attempts: int = MAX_ATTEMPTS,
        may_write: bool = True,
    ) -> None:
        """``random`` draws from [0, 1), for the length of pauses. Without ``may_write`` nothing that writes is sent: a
        dry run that tried to would end in an error of the service."""
        self.profile = inner.profile
        self.requests = 0
        """Requests sent so far."""
        self.has_written = False
        """Some write was answered with success, or may have been applied without an answer."""
        self.was_refused = False
        """Some write reached the store, which refused it."""
        self._inner = inner
        self._board = board
        self._permit = permit
        self._random = random
        self._stop = stop
        self._cut = cut
        self._max_attempts = max_attempts
        self._may_write = may_write
        self._causes: dict[str, int] | None = None
        self.has_failed = False
        """Whether there are causes."""

    def begin(self) -> None:
        """Forgets what it counted: the next request is another task's."""
        self.requests = 0
        self.has_written = self.was_refused = self.has_failed = False
        self._causes = None

    @property
    def causes(self) -> list[str]:
        """What went wrong so far, repaired or not, in the order of first appearance: ``["SlowDown x3"]``."""
        return [f"{cause} x{count}" for cause, count in self._causes.items()] if self._causes else []

    # --- objects

    def head(self, ref: ObjectRef) -> Coroutine[Any, Any, ObjectMeta]:
        return self._ask(False, ref.bucket, self._inner.head, ref)

    async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody:
        """The place among the bucket's requests is kept until the body is read to its end, breaks off, or is closed.

        A body that breaks off raises a StorageError with BODY_DAMAGED, the store's or the network's one its cause.
        """
        pacer = self._board.pacer(ref.bucket)
        gate = self._board.byte_gate(ref.bucket)
        if gate is not None:
            await gate.enter(0 if last_byte is None else last_byte + 1 - first_byte, self._present_stop())
        patience: _Patience | None = None
        while True:
            ticket = pacer.try_admit() or await pacer.wait(self._present_stop())
            answers = pacer.answers
            try:
                self._permit()
                self.requests += 1
                body = await self._inner.get(ref, first_byte=first_byte, last_byte=last_byte)
            except StorageError as error:
                patience = patience or _Patience(self._max_attempts, answers)
                await self._recover(error, ticket, pacer, patience, writes=False)
            except BaseException:
                pacer.release(ticket)
                raise
            else:
                pacer.hear(ticket)
                if gate is not None and last_byte is None:  # nobody knew how long it is
                    gate.charge(body.meta.size_bytes - first_byte)
                return _PacedBody(self, body, pacer, ticket)

    def put(
        self, ref: ObjectRef, body: bytes | SizedBody, *, options: PutOptions = PutOptions()
    ) -> Coroutine[Any, Any, PutOutcome]:
        asked = partial(self._ask, True, ref.bucket, self._inner.put, ref, body, options=options)
        return self._within_bytes(ref.bucket, body, asked)

    def copy(self, source: ObjectRef, target: ObjectRef, *, options: CopyOptions) -> Coroutine[Any, Any, CopyOutcome]:
        return self._ask(True, target.bucket, self._inner.copy, source, target, options=options)

    def delete(self, ref: ObjectRef) -> Coroutine[Any, Any, VersionId | None]:
        return self._ask(True, ref.bucket, self._inner.delete, ref)

    def restore(self, ref: ObjectRef, *, days: int, tier: RestoreTier) -> Coroutine[Any, Any, RestoreOutcome]:
        return self._ask(True, ref.bucket, self._inner.restore, ref, days=days, tier=tier)

    # --- multipart uploads

    def create_upload(self, target: ObjectRef, *, options: PutOptions) -> Coroutine[Any, Any, str]:
        return self._ask(True, target.bucket, self._inner.create_upload, target, options=options)

    def upload_part(
        self, target: ObjectRef, *, upload_id: str, number: int, body: bytes | SizedBody
    ) -> Coroutine[Any, Any, CompletedPart]:
        asked = partial(
            self._ask,
            True,
            target.bucket,
            self._inner.upload_part,
            target,
            upload_id=upload_id,
            number=number,
            body=body,
        )
        return self._within_bytes(target.bucket, body, asked)

    def upload_part_copy(
        self,
        source: ObjectRef,
        target: ObjectRef,
        *,
        upload_id: str,
        number: int,
        first_byte: int,
        last_byte: int,
        if_source_etag: str = "",
        source_region: RegionName | None = None,
    ) -> Coroutine[Any, Any, CompletedPart]:
        return self._ask(
            True,
            target.bucket,
            self._inner.upload_part_copy,
            source,
            target,
            upload_id=upload_id,
            number=number,
            first_byte=first_byte,
            last_byte=last_byte,
            if_source_etag=if_source_etag,
            source_region=source_region,
        )

    def complete_upload(
        self, target: ObjectRef, *, upload_id: str, parts: Sequence[CompletedPart]
    ) -> Coroutine[Any, Any, CopyOutcome]:
        return self._ask(True, target.bucket, self._inner.complete_upload, target, upload_id=upload_id, parts=parts)

    def abort_upload(self, target: ObjectRef, *, upload_id: str) -> Coroutine[Any, Any, None]:
        return self._ask(True, target.bucket, self._inner.abort_upload, target, upload_id=upload_id)

    def list_parts(self, target: ObjectRef, *, upload_id: str) -> Coroutine[Any, Any, list[UploadedPart]]:
        """Counts as one request, whatever the number of pages."""
        return self._ask(False, target.bucket, self._inner.list_parts, target, upload_id=upload_id)

    def list_uploads(self, bucket: Bucket, *, prefix: str = "", token: str = "") -> Coroutine[Any, Any, UploadPage]:
        return self._ask(False, bucket, self._inner.list_uploads, bucket, prefix=prefix, token=token)

    # --- access lists and tags

    def get_acl(self, ref: ObjectRef) -> Coroutine[Any, Any, AccessControl]:
        return self._ask(False, ref.bucket, self._inner.get_acl, ref)

    def put_acl(self, ref: ObjectRef, acl: AccessControl) -> Coroutine[Any, Any, None]:
        return self._ask(True, ref.bucket, self._inner.put_acl, ref, acl)

    def get_tags(self, ref: ObjectRef) -> Coroutine[Any, Any, tuple[Tag, ...]]:
        return self._ask(False, ref.bucket, self._inner.get_tags, ref)

    def put_tags(self, ref: ObjectRef, tags: Sequence[Tag]) -> Coroutine[Any, Any, None]:
        return self._ask(True, ref.bucket, self._inner.put_tags, ref, tags)

    def delete_tags(self, ref: ObjectRef) -> Coroutine[Any, Any, None]:
        return self._ask(True, ref.bucket, self._inner.delete_tags, ref)

    # --- buckets

    def list_objects(
        self,
        bucket: Bucket,
        *,
        prefix: str = "",
        start_after: str = "",
        token: str = "",
        limit: int = 1000,
        delimiter: str = "",
    ) -> Coroutine[Any, Any, ListPage]:
        return self._ask(
            False,
            bucket,
            self._inner.list_objects,
            bucket,
            prefix=prefix,
            start_after=start_after,
            token=token,
            limit=limit,
            delimiter=delimiter,
        )

    def list_versions(
        self, bucket: Bucket, *, prefix: str = "", token: str = "", limit: int = 1000
    ) -> Coroutine[Any, Any, ListPage]:
        return self._ask(False, bucket, self._inner.list_versions, bucket, prefix=prefix, token=token, limit=limit)

    def bucket_region(self, bucket: Bucket) -> Coroutine[Any, Any, str]:
        return self._ask(False, bucket, self._inner.bucket_region, bucket)

    def versioning(self, bucket: Bucket) -> Coroutine[Any, Any, Versioning]:
        return self._ask(False, bucket, self._inner.versioning, bucket)

    def object_lock(self, bucket: Bucket) -> Coroutine[Any, Any, LockRule | None]:
        return self._ask(False, bucket, self._inner.object_lock, bucket)

    async def close(self) -> None:
        """Closes the store behind it, which other tasks share."""
        await self._inner.close()

    # --- asking

    def _within_bytes(
        self, bucket: Bucket, body: bytes | SizedBody, asked: Callable[[], Coroutine[Any, Any, _T]]
    ) -> Coroutine[Any, Any, _T]:
        """What sends a body, when the bucket's cap on bytes lets it. One that is sent again counts once."""
        gate = self._board.byte_gate(bucket)
        if gate is None:
            return asked()
        return self._after_bytes(gate, len(body) if isinstance(body, bytes) else body.size_bytes, asked)

    async def _after_bytes(self, gate: ByteGate, size_bytes: int, asked: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Before a place among the bucket's requests is taken: nobody else is kept from it meanwhile."""
        await gate.enter(size_bytes, self._present_stop())
        return await asked()

    def _present_stop(self) -> StopSignal | None:
        return self._cut if self.has_written else self._stop

    async def _ask(
        self,
        writes: bool,
        bucket: Bucket,
        send: Callable[_P, Coroutine[Any, Any, _T]],
        /,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """The answer of ``send``, which is called once for each attempt.

        Every object passes here: no task, no closure, one coroutine, and the bookkeeping of repetitions begins with
        the first failure. (:meth:`get` has the same loop, since its answer keeps the ticket.)
        """
        if writes and not self._may_write:
            raise RuntimeError(f"a write to {bucket}, of a job that may only read")
        pacer = self._board.pacer(bucket)
        patience: _Patience | None = None
        while True:
            ticket = pacer.try_admit() or await pacer.wait(self._present_stop())
            answers = pacer.answers
            try:
                if self.requests:  # a task of many requests need not wait to be stopped
                    self._check_stop()
                self._permit()
                self.requests += 1
                answer = await send(*args, **kwargs)
            except StorageError as error:
                self.has_written |= writes and is_outcome_unknown(error)
                self.was_refused |= writes and error.http_status > 0
                patience = patience or _Patience(self._max_attempts, answers)
                await self._recover(error, ticket, pacer, patience, writes=writes)
            except BaseException:
                pacer.release(ticket)
                raise
            else:
                self.has_written |= writes
                pacer.answered(ticket)
                return answer

    def _check_stop(self) -> None:
        stop = self._present_stop()
        if stop is not None:
            stop.check()

    async def _recover(
        self, error: StorageError, ticket: Ticket, pacer: BucketPacer, patience: _Patience, *, writes: bool
    ) -> None:
        """Returns when it is time for another attempt, or raises what is final.

        A held bucket needs no pause: admission to it is a long enough wait, and sleepers would come late when the hold
        ends.
        """
        pacer.failed(ticket, error, witness=self)
        self.requests -= is_local(error)
        self._note(error)
        attempts = patience.after(error, writes=writes, pacer=pacer)
        self._board.repeats += 1
        if pacer.held is None:
            asked = disposition(error, writes=writes).after_seconds or 0.0
            stop = self._present_stop()
            await pacer.sleep(asked + backoff_seconds(attempts, self._random), stop)

    def _note(self, error: StorageError) -> None:
        causes = self._causes = {} if self._causes is None else self._causes
        self.has_failed = True
        cause = error.code if error.code in causes or len(causes) < _CAUSES_KEPT else _OTHER_CAUSES
        causes[cause] = causes.get(cause, 0) + 1


class _Patience:
    """What the failed attempts of one request have come to."""

    __slots__ = ("_answers", "_attempts", "_max_attempts", "_spent")

    def __init__(self, max_attempts: int, answers: int) -> None:
        """``answers``: of the bucket, when the first attempt was made."""
        self._max_attempts = max_attempts
        self._answers = answers
        self._attempts = 0
        self._spent = 0

    def after(self, error: StorageError, *, writes: bool, pacer: BucketPacer) -> int:
        """The number of attempts made so far, if there may be another; else raises what is final."""
        match disposition(error, writes=writes).action:
            case Action.FAIL_TASK | Action.FAIL_JOB:
                raise error
            case Action.SETTLE:
                if isinstance(error, Unanswered):
                    raise error
                raise _as_unanswered(error) from error
            case Action.RETRY | Action.HOLD_IF_ALL:
                self._attempts += 1
                self._spent += self._counts(error, pacer)
                self._answers = pacer.answers
            case unknown:
                assert_never(unknown)
        if self._spent >= self._max_attempts:
            error.add_note(f"given up after {self._attempts} attempts")
            raise error
        return self._attempts

    def _counts(self, error: StorageError, pacer: BucketPacer) -> bool:
        """Whether the attempt is one of the few that a request has. What may be one object's own trouble counts while
        the bucket is not held, for there may be nobody else left whom the bucket could answer."""
        return pacer.answers != self._answers or (pacer.held is None and blame(error) is Blame.UNCLEAR)


class _PacedBody:
    """A body that keeps its place among the bucket's requests until it is over."""

    __slots__ = ("_inner", "_pacer", "_store", "_ticket", "content_range", "meta")

    def __init__(self, store: PersistentStore, inner: ObjectBody, pacer: BucketPacer, ticket: Ticket) -> None:
        self.meta = inner.meta
        self.content_range = inner.content_range
        self._store = store
        self._inner = inner
        self._pacer = pacer
        self._ticket = ticket
        """0 once the place is given back."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._until_over():
            async for block in self._inner:
                yield block

    async def read_into(self, room: memoryview) -> int:
        with self._until_over():
            return await self._inner.read_into(room)

    @contextmanager
    def _until_over(self) -> Iterator[None]:
        try:
            yield
        except StorageError as error:
            self._break_off(error)
            raise StorageError(
                StorageReason.BODY_DAMAGED,
                f"the body broke off: {error.code}: {error.message}",
                target=error.target,
                request_id=error.request_id,
            ) from error
        self._give_back()

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            self._give_back()

    def _break_off(self, error: StorageError) -> None:
        self._store._note(error)
        if self._ticket:
            self._pacer.failed(self._ticket, error, witness=self._store)
            self._ticket = 0

    def _give_back(self) -> None:
        if self._ticket:
            self._pacer.release(self._ticket)
            self._ticket = 0


def _as_unanswered(error: StorageError) -> Unanswered:
    """A 500 to a write, or an answer that cannot be read, leaves as much open as no answer."""
    unanswered = Unanswered(error.message, target=error.target)
    unanswered.code, unanswered.http_status, unanswered.request_id = error.code, error.http_status, error.request_id
    return unanswered
