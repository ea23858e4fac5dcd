"""Changes the key that seals the secrets of the ledger.

Three steps, of which each leaves secrets and keys that fit each other. The ring gets a new current key, and keeps the
old one. Every secret is sealed again, in one transaction. The ring loses the old key. After a crash between two of them
the ring has an older key, and the next rotation goes on from there instead of beginning another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cosbatch.identity.ciphers import Cipher, KeyRing, generate_key
from cosbatch.identity.key_sources import write_key_ring
from cosbatch.ledger.people_port import NO_ACCOUNT, AuditEntry, PeopleBook, Reseal, SealedText
from cosbatch.model.errors import Fault, InvalidArgument, SealBroken
from cosbatch.model.principals import Caller

ACTION: Final = "rotate-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What was done."""

    key_id: str
    """Of the key that seals now."""
    older_ids: tuple[str, ...]
    """Of keys that open nothing any more."""
    secrets: int
    """How many secrets the ledger has."""
    drops_older: bool
    """The older keys are gone; else whoever keeps the ring can take them out now."""


async def rotate(
    book: PeopleBook, ring: KeyRing, *, file: Path | None, caller: Caller, is_unused: Callable[[], bool]
) -> Rotation:
    """``file`` is where the ring stands and is written; None where it comes from a variable or a command: then its
    keeper has put a new key before the old one already (else InvalidArgument). SealBroken where a secret does not open;
    nothing is changed then.

    No service may be running, for it would seal with the old key. One that has begun in the meantime (``is_unused`` is
    False) leaves the older keys in the ring, for the next rotation to drop."""
    if not ring.older:
        if file is None:
            fault = Fault(
                path="server.encryption_key",
                value=ring.current_id,
                problem="it gives one key, and that seals everything already",
                way_out="put a new key before it, one a line, and call this again: openssl rand -base64 32 makes one",
            )
            raise InvalidArgument("there is no key to rotate to", faults=[fault])
        ring = ring.with_current(generate_key())
        write_key_ring(file, ring)
    older = ring.ids[1:]
    entry = AuditEntry(
        account=NO_ACCOUNT,
        actor=caller.user,
        via=caller.via,
        action=ACTION,
        target=ring.current_id,
        detail=f"from {', '.join(older)}",
    )
    secrets = await book.reseal(resealing(Cipher(ring)), entry=entry)
    drops_older = file is not None and is_unused()
    if file is not None and drops_older:
        write_key_ring(file, ring.without_older())
    return Rotation(key_id=ring.current_id, older_ids=older, secrets=secrets, drops_older=drops_older)


def resealing(cipher: Cipher) -> Reseal:
    """Seals with the current key what an older one sealed, and leaves the rest as it is."""

    def change(sealed: SealedText) -> str:
        chosen = cipher.narrowed(sealed.narrowed) if sealed.narrowed else cipher
        try:
            plain = chosen.open(sealed.text, purpose=sealed.purpose)
        except SealBroken as broken:
            raise SealBroken(f"the secret of {sealed.purpose} does not open: {broken}") from None
        return sealed.text if chosen.is_current(sealed.text) else chosen.seal(plain, purpose=sealed.purpose)

    return change
