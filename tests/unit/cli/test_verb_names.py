"""One name for each verb, wherever it is asked for."""

from __future__ import annotations

import inspect

import pytest

from cosbatch.cli.main import VERBS, LazyVerbs, cli
from cosbatch.service.follow_up import FollowUp
from cosbatch.service.service import VERBS as SERVICE_VERBS
from cosbatch.service.service import JobService

FOLLOW_UPS = {"retry_failed", "clone_job", "redeliver_report"}
"""Verbs that have a class of their own."""
SHORT_WORDS = {"pause": "pause-job", "resume": "resume-job"}
PARTS = {"confirm": "update_job_status", "cancel": "update_job_status"}
"""Commands for one of the things that a verb does."""


@pytest.mark.parametrize("verb", SERVICE_VERBS)
def test_every_verb_of_the_service_names_its_caller(verb: str) -> None:
    method = getattr(FollowUp if verb in FOLLOW_UPS else JobService, verb)
    assert inspect.iscoroutinefunction(method)
    caller = inspect.signature(method).parameters["caller"]
    assert (caller.kind, caller.default) == (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.empty)


def test_every_verb_of_the_service_is_a_command_of_that_name() -> None:
    assert [verb for verb in SERVICE_VERBS if verb.replace("_", "-") not in VERBS] == []


@pytest.mark.parametrize("verb", SERVICE_VERBS)
def test_a_command_has_a_file_of_its_verbs_name(verb: str) -> None:
    assert VERBS[verb.replace("_", "-")].place == f"{verb}:{verb}"
    assert isinstance(cli, LazyVerbs)
    assert callable(getattr(__import__(f"cosbatch.cli.{verb}", fromlist=[verb]), verb))


def test_short_words_are_the_same_commands() -> None:
    assert {short: VERBS[short].place for short in SHORT_WORDS} == {
        short: VERBS[command].place for short, command in SHORT_WORDS.items()
    }
    assert {short: VERBS[short].place.partition(":")[0] for short in PARTS} == PARTS
