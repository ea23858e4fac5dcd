from __future__ import annotations

from dataclasses import dataclass

from cosbatch.web.failed_attempts import PER_ADDRESS_MAX, PER_KEY_MAX, WINDOW_SECONDS, FailedAttempts


@dataclass
class HandClock:
    seconds: float = 0.0

    def now(self) -> float:
        return 0.0

    def boottime(self) -> float:
        return self.seconds


def test_a_key_is_counted_by_address() -> None:
    failures = FailedAttempts(HandClock())
    for _ in range(PER_KEY_MAX):
        assert not failures.are_too_many("a", "key")
        failures.add("a", "key")
    assert failures.are_too_many("a", "key")
    assert not failures.are_too_many("a", "another key")
    assert not failures.are_too_many("b", "key")


def test_an_address_is_counted_over_all_keys() -> None:
    failures = FailedAttempts(HandClock())
    for number in range(PER_ADDRESS_MAX):
        assert not failures.are_too_many("a", "fresh key")
        failures.add("a", f"key {number}")
    assert failures.are_too_many("a", "fresh key")
    assert not failures.are_too_many("b", "fresh key")


def test_a_window_ends() -> None:
    clock = HandClock()
    failures = FailedAttempts(clock)
    for _ in range(PER_KEY_MAX):
        failures.add("a", "key")
    clock.seconds = WINDOW_SECONDS - 0.1
    assert failures.are_too_many("a", "key")
    clock.seconds = WINDOW_SECONDS
    assert not failures.are_too_many("a", "key")
    failures.add("a", "key")
    assert not failures.are_too_many("a", "key")


def test_calls_without_a_key_do_not_count_for_those_with_one() -> None:
    failures = FailedAttempts(HandClock())
    for number in range(PER_ADDRESS_MAX):
        assert failures.are_too_many("a", "") == (number >= PER_KEY_MAX)
        failures.add("a", "")
    assert not failures.are_too_many("a", "key")


def test_memory_does_not_grow_and_a_busy_address_is_not_forgotten() -> None:
    failures = FailedAttempts(HandClock())
    for number in range(30_000):
        failures.add(f"address {number}", "key")
        if number < PER_ADDRESS_MAX or number % 1000 == 0:
            failures.add("busy", f"key {number}")
    assert failures.are_too_many("busy", "any")
    assert not failures.are_too_many("address 0", "key")


def test_a_key_that_was_let_in_is_not_shut_out_for_what_others_try_at_its_address() -> None:
    failures = FailedAttempts(HandClock())
    failures.let_in("proxy", "good")
    for number in range(PER_ADDRESS_MAX):
        failures.add("proxy", f"key {number}")
    assert failures.are_too_many("proxy", "fresh key")
    assert not failures.are_too_many("proxy", "good")
    for _ in range(PER_KEY_MAX):
        failures.add("proxy", "good")
    assert failures.are_too_many("proxy", "good")
