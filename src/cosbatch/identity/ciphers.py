"""Secrets at rest: sealed with AES-256-GCM under a ring of keys, so that the key can be changed.

A sealed text is ``v1.<key id>.<base64url of nonce and ciphertext>``. What it was sealed for, its *purpose*, is
authenticated with it: a sealed secret that is put in another place of the ledger does not open there.

A key's id is derived from the key, so a ring is a list of keys and nothing else, and the id in a sealed text gives
nothing of the key away.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass, field
from typing import Final

from cosbatch.model.errors import SealBroken as SealBroken

KEY_BYTES: Final = 32
_FORMAT: Final = "v1"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


def generate_key() -> bytes:
    """32 random bytes."""
    return os.urandom(KEY_BYTES)


def key_id(key: bytes) -> str:
    """Eight hex digits that name the key."""
    return hashlib.sha256(b"cosbatch key id\0" + key).hexdigest()[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The key that seals, and those that still open. Its ``repr`` shows the ids alone."""

    current: bytes = field(repr=False)
    """32 bytes."""
    older: tuple[bytes, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        for key in self.keys:
            if len(key) != KEY_BYTES:
                raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")

    @property
    def keys(self) -> tuple[bytes, ...]:
        return (self.current, *self.older)

    @property
    def current_id(self) -> str:
        return key_id(self.current)

    @property
    def ids(self) -> tuple[str, ...]:
        """The current one's first."""
        return tuple(key_id(key) for key in self.keys)

    def with_current(self, key: bytes) -> KeyRing:
        """``key`` seals from now on; all that there were still open."""
        return KeyRing(current=key, older=tuple(known for known in self.keys if known != key))

    def without_older(self) -> KeyRing:
        """The current key alone: what the older ones have sealed does not open any more."""
        return KeyRing(current=self.current)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self.ids)})"


class Cipher:
    """Seals secrets and opens them. It can be sent to another process; its ``repr`` shows the keys' ids alone."""

    __slots__ = ("_ring",)

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    @property
    def ring_ids(self) -> tuple[str, ...]:
        """Of the keys that it knows, the one that seals first."""
        return self._ring.ids

    def seal(self, plain: bytes, *, purpose: str) -> str:
        """An ASCII text without white space; another one each time."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        named = self._ring.current_id
        sealed = AESGCM(self._ring.current).encrypt(nonce, plain, _bound(named, purpose))
        return f"{_FORMAT}.{named}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, purpose: str) -> bytes:
        """SealBroken where it cannot be opened, or was not sealed for ``purpose``."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        named, body = _parsed(sealed)
        key = next((key for key in self._ring.keys if key_id(key) == named), None)
        if key is None:
            known = ", ".join(self._ring.ids)
            raise SealBroken(
                f"it was sealed with the key {named}, and the keys here are {known}; put the file, variable or command"
                " that gives the keys back as it was"
            )
        try:
            return AESGCM(key).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _bound(named, purpose))
        except InvalidTag:
            raise SealBroken("it was changed after it was sealed, or was sealed for something else") from None

    def is_current(self, sealed: str) -> bool:
        """Whether it was sealed with the key that seals now. SealBroken where it is no sealed text."""
        return _parsed(sealed)[0] == self._ring.current_id

    def narrowed(self, purpose: str) -> Cipher:
        """A cipher of other keys, derived from these for ``purpose``: whoever has it opens only what it has sealed,
        and learns nothing of the keys that it comes from."""
        current, *older = (_derived(key, purpose) for key in self._ring.keys)
        return Cipher(KeyRing(current=current, older=tuple(older)))

    def __repr__(self) -> str:
        return f"Cipher({', '.join(self._ring.ids)})"


def _derived(key: bytes, purpose: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derivation = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"cosbatch narrowed\0" + purpose.encode())
    return derivation.derive(key)


def _bound(named: str, purpose: str) -> bytes:
    return f"{_FORMAT}\0{named}\0{purpose}".encode()


def _parsed(sealed: str) -> tuple[str, bytes]:
    """The key's id, and nonce and ciphertext."""
    try:
        written_as, named, text = sealed.split(".")
        body = base64.b64decode(text, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise SealBroken("it is no sealed secret: it was cut or changed") from None
    is_whole = base64.urlsafe_b64encode(body).decode() == text and len(body) >= _NONCE_BYTES + _TAG_BYTES
    if written_as != _FORMAT or not is_whole:
        raise SealBroken("it is no sealed secret of a kind that this version knows")
    return named, body
