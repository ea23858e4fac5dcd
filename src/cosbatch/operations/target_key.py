"""Where a copy goes: the prefix rule of ``COSPutObjectCopy``, and where it would read what it has written.

The rule (COS, batch operation, common elements): with ``PrefixReplace``, a key that starts with ``ResourcesPrefix``
becomes ``TargetKeyPrefix`` and the rest of the key. Either may be empty. ``picture.jpg`` with ``pic`` -> ``abc``
becomes ``abcture.jpg``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cosbatch.model.identifiers import Bucket, ObjectKey
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.tasks import OutcomeCode
from cosbatch.operations.outcome import TaskRefused

BYTES_A_CHARACTER: Final = 4
"""At most, in UTF-8."""


def target_key(params: PutObjectCopy, key: ObjectKey, *, max_key_bytes: int) -> ObjectKey:
    """Raises TaskRefused: PrefixMismatch, EmptyKey, KeyTooLong."""
    target = key
    if params.prefix_replace:
        if not key.startswith(params.resources_prefix):
            text = f"The key does not start with ResourcesPrefix {params.resources_prefix!r}"
            raise TaskRefused(OutcomeCode.PREFIX_MISMATCH, text)
        target = _mapped(params, key)
    if not target:
        raise TaskRefused(OutcomeCode.EMPTY_KEY, "Without its prefix nothing is left of the key")
    if len(target) * BYTES_A_CHARACTER > max_key_bytes:
        _check_length(target, max_key_bytes=max_key_bytes)
    return target


def _mapped(params: PutObjectCopy, key: ObjectKey) -> ObjectKey:
    return ObjectKey(params.target_key_prefix + key[len(params.resources_prefix) :])


def _check_length(key: ObjectKey, *, max_key_bytes: int) -> None:
    length = len(key.encode("utf-8", "surrogatepass"))
    if length > max_key_bytes:
        text = f"The target key has {length} bytes, the store takes {max_key_bytes}"
        raise TaskRefused(OutcomeCode.KEY_TOO_LONG, text)


def overlap_rule(
    params: PutObjectCopy, *, source_bucket: Bucket, in_one_region: bool = True
) -> Callable[[ObjectKey], bool] | None:
    """What says of a manifest's key that its job could read what the job itself has written; None where none could.

    Inside one bucket, a key that some other key is mapped to, and that is mapped elsewhere itself, is copied before or
    after it was overwritten: the result would depend on the order. Such a chain a -> b -> c needs a key like b (in the
    rule's image) and a key like a (its image again starts with ResourcesPrefix), so that it is enough to refuse one of
    the two kinds: where a prefix gets longer the first, where it gets shorter the second, since the other kind would be
    every key. Where neither prefix begins with the other there is no chain.
    """
    if not params.prefix_replace or params.target_bucket != source_bucket or not in_one_region:
        return None
    removed, added = params.resources_prefix, params.target_key_prefix
    if removed == added:
        return None
    if added.startswith(removed):
        return lambda key: key.startswith(added)
    if removed.startswith(added):
        return lambda key: key.startswith(removed) and _mapped(params, key).startswith(removed)
    return None
