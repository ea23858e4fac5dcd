"""Report rows as bytes: one CSV row for each result.

RFC 4180 with line feeds. Keys are percent-encoded, so a report is a manifest as it stands: its first three columns are
Bucket, Key (URL-encoded) and VersionId. A space is ``%20`` and a plus ``%2B``, so readers that take ``+`` for a space
and readers that do not agree on every key. One row is made for each object: blocks are encoded in one go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cosbatch.model.identifiers import Bucket
from cosbatch.model.tasks import Result, Task, TaskStatus

REPORT_SCHEMA: Final = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"
MESSAGE_CHARACTERS: Final = 1024
SUCCESS_MESSAGE: Final = "Successful"

_PLAIN_IN_KEYS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~/"
_ENCODED: Final = tuple(chr(byte) if byte in _PLAIN_IN_KEYS else f"%{byte:02X}" for byte in range(256))


_WOULD: Final = {TaskStatus.SUCCEEDED: "would_succeed", TaskStatus.FAILED: "would_fail"}


def status_word(status: TaskStatus, *, dry_run: bool) -> str:
    """TaskStatus as a report has it: nobody shall take the row of a dry run for something that was done."""
    return _WOULD[status] if dry_run else status.value


def encode_key(key: str) -> str:
    """Percent-encoded UTF-8; letters, digits, ``_.-~`` and ``/`` stand for themselves."""
    octets = key.encode()
    if not octets.translate(None, _PLAIN_IN_KEYS):
        return key
    return "".join([_ENCODED[octet] for octet in octets])  # twice as fast as urllib's quote


def encode_field(text: str) -> str:
    """Quoted where it has a comma, a quote or anything that does not print, else as it is."""
    if text.isprintable() and "," not in text and '"' not in text:
        return text
    return '"' + text.replace('"', '""') + '"'


def encode_rows(
    entries: Sequence[tuple[Task, Result]], *, bucket: Bucket, status: TaskStatus, dry_run: bool = False
) -> bytes:
    """The rows of these results, all of one status, in their order. Messages are cut to 1,024 characters."""
    start = encode_field(bucket)
    keys = _encode_keys(entries)
    endings = {result[2:5]: result for _, result in entries}
    if len(endings) == 1 and [task.version_id for task, _ in entries].count(None) == len(entries):
        # What most blocks are: rows that have nothing of their own but the key.
        ending = _ending_of(entries[0][1], status, dry_run=dry_run)
        text = f"{start}," + f",,{ending}\n{start},".join(keys) + f",,{ending}\n"
    else:
        told = {outcome: _ending_of(result, status, dry_run=dry_run) for outcome, result in endings.items()}
        text = "".join(
            [
                f"{start},{key},{encode_field(task.version_id or '')},{told[result[2:5]]}\n"
                for (task, result), key in zip(entries, keys, strict=True)
            ]
        )
    return text.encode("utf-8", "backslashreplace")


def _encode_keys(entries: Sequence[tuple[Task, Result]]) -> list[str]:
    """Most blocks have nothing to encode, which one look at all of their keys together tells."""
    keys: list[str] = [task.key for task, _ in entries]
    if not "".join(keys).encode().translate(None, _PLAIN_IN_KEYS):
        return keys
    return [encode_key(key) for key in keys]


def _ending_of(result: Result, status: TaskStatus, *, dry_run: bool) -> str:
    """TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage: what rows of one block often have in common."""
    message = result.message[:MESSAGE_CHARACTERS]
    if not message and status is TaskStatus.SUCCEEDED:
        message = SUCCESS_MESSAGE
    http_status = str(result.http_status) if result.http_status else ""
    word = status_word(status, dry_run=dry_run)
    return f"{word},{encode_field(result.error_code)},{http_status},{encode_field(message)}"
