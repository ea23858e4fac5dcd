"""What was sealed opens with its key and for its purpose, and in no other way."""

from __future__ import annotations

import pickle

import pytest

from cosbatch.identity.ciphers import Cipher, KeyRing, SealBroken, generate_key

SECRET = b"JBSWY3DPEHPK3PXP"


def ring(letter: bytes = b"a", *older: bytes) -> KeyRing:
    return KeyRing(current=letter * 32, older=tuple(key * 32 for key in older))


def test_what_was_sealed_opens_for_its_purpose() -> None:
    cipher = Cipher(ring())
    sealed = cipher.seal(SECRET, purpose="access key A")
    assert cipher.open(sealed, purpose="access key A") == SECRET
    assert SECRET.decode() not in sealed
    assert sealed.isascii()
    assert len(sealed.split()) == 1
    assert cipher.seal(SECRET, purpose="access key A") != sealed
    assert cipher.open(cipher.seal(b"", purpose="p"), purpose="p") == b""


def test_it_does_not_open_for_another_purpose() -> None:
    cipher = Cipher(ring())
    with pytest.raises(SealBroken, match="something else"):
        cipher.open(cipher.seal(SECRET, purpose="access key A"), purpose="access key B")


def test_it_does_not_open_when_any_letter_was_changed() -> None:
    cipher = Cipher(ring())
    sealed = cipher.seal(SECRET, purpose="p")
    for place, letter in enumerate(sealed):
        changed = sealed[:place] + ("A" if letter != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(SealBroken):
            cipher.open(changed, purpose="p")
    for text in ("", "v1", "v1..", "v1.aa.!!", sealed[:-8], f"{sealed}.x", "v1.\u00e4.AAAA"):
        with pytest.raises(SealBroken):
            cipher.open(text, purpose="p")


def test_an_unknown_key_is_named() -> None:
    sealed = Cipher(ring(b"b")).seal(SECRET, purpose="p")
    with pytest.raises(SealBroken, match=ring(b"b").current_id):
        Cipher(ring(b"a")).open(sealed, purpose="p")


def test_older_keys_open_and_the_newest_seals() -> None:
    old, new = Cipher(ring(b"a")), Cipher(ring(b"a").with_current(b"b" * 32))
    sealed = old.seal(SECRET, purpose="p")
    assert new.open(sealed, purpose="p") == SECRET
    assert not new.is_current(sealed)
    assert new.is_current(new.seal(SECRET, purpose="p"))
    with pytest.raises(SealBroken):
        old.open(new.seal(SECRET, purpose="p"), purpose="p")
    with pytest.raises(SealBroken):
        Cipher(ring(b"a").with_current(b"b" * 32).without_older()).open(sealed, purpose="p")


def test_a_key_that_is_made_current_again_stands_once() -> None:
    assert ring(b"a", b"b").with_current(b"b" * 32) == ring(b"b", b"a")


def test_a_narrowed_cipher_opens_only_its_own() -> None:
    whole = Cipher(ring())
    narrow = whole.narrowed("a job's credentials")
    sealed = narrow.seal(SECRET, purpose="p")
    assert whole.narrowed("a job's credentials").open(sealed, purpose="p") == SECRET
    for other in (whole, whole.narrowed("something else"), narrow.narrowed("a job's credentials")):
        with pytest.raises(SealBroken):
            other.open(sealed, purpose="p")
        with pytest.raises(SealBroken):
            narrow.open(other.seal(SECRET, purpose="p"), purpose="p")


def test_a_narrowed_cipher_opens_what_was_narrowed_from_an_older_key() -> None:
    sealed = Cipher(ring(b"a")).narrowed("job").seal(SECRET, purpose="p")
    assert Cipher(ring(b"b", b"a")).narrowed("job").open(sealed, purpose="p") == SECRET


def test_a_cipher_can_be_sent_to_another_process() -> None:
    cipher = Cipher(ring()).narrowed("job")
    sealed = cipher.seal(SECRET, purpose="p")
    assert pickle.loads(pickle.dumps(cipher)).open(sealed, purpose="p") == SECRET


def test_nothing_shows_a_key() -> None:
    keys = KeyRing(current=generate_key(), older=(generate_key(),))
    for shown in (repr(keys), str(keys), repr(Cipher(keys)), f"{Cipher(keys)}"):
        assert keys.current_id in shown
        for key in keys.keys:
            assert repr(key) not in shown
            assert key.hex() not in shown


def test_a_key_has_its_length() -> None:
    assert len(generate_key()) == 32
    with pytest.raises(ValueError, match="32 bytes, not 3"):
        KeyRing(current=b"abc")
