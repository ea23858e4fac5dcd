"""What the service says of its own, the console can say in each of its languages."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.sentences import APART, FOREIGN, SOURCE, heard, heard_in

TEXTS = Path(__file__).parent.parent.parent / "console" / "src" / "i18n"
PLACE = re.compile(r"\{\d+\}")

PASSED_ON = frozenset(
    {
        "engine/finisher.py: error",
        "engine/planner.py: reason",
        "engine/schedule.py: reasons[0]",
        "identity/passwords.py: problem",
        "identity/passwords.py: way_out",
        "ledger/commits.py: reason",
        "ledger/jobs.py: reason",
        "ledger/memory.py: reason",
        "ledger/memory_rows.py: reason",
        "ledger/memory_webhooks.py: end.disables",
        "operations/checks.py: _headline(faults)",
        "operations/restore.py: context.unproved",
        "service/audit.py: str(refusal)[:SHOWN]",
        "service/fields.py: found",
        "service/regions.py: detail",
        "service/regions.py: kept.region.endpoint",
        "service/regions.py: region.endpoint",
        "service/report_downloads.py: message",
        "service/roles.py: '; '.join((f'{access.purpose}: {access.verdict}' for access in tested.accesses))",
        "service/service.py: status_update_reason",
        "service/service.py: way_out",
        "service/webhooks.py: problem[0]",
        "service/webhooks.py: problem[1]",
        "service/webhooks.py: url",
        "web/rest/gate.py: request",
        "web/rest/job_lists.py: _text(sample.message)",
        "web/rest/sessions.py: otherwise",
        "web/rest/webhooks.py: delivery.last_error",
        "wire/webhook_messages.py: told",
    }
)
"""Where somebody hands on what was said elsewhere, or what others have written: nothing is to be read there."""


def texts_of(language: str) -> dict[str, str]:
    read: dict[str, str] = json.loads((TEXTS / f"sentences.{language}.json").read_text(encoding="utf-8"))
    return read


def test_each_sentence_has_its_chinese_text_and_each_text_its_sentence() -> None:
    said, chinese = {*heard().sentences, *APART, *FOREIGN}, texts_of("zh-CN")
    silent = {f"{heard().sentences.get(sentence, 'put together')}: {sentence}" for sentence in said - chinese.keys()}
    assert not silent, "\n".join(["each needs a text in console/src/i18n/sentences.zh-CN.json:", *sorted(silent)])
    gone = chinese.keys() - said
    assert not gone, "\n".join(["nobody says them any more:", *sorted(gone)])


def test_english_texts_are_of_sentences_that_somebody_says() -> None:
    assert not texts_of("en").keys() - {*heard().sentences, *APART}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_text_has_the_values_of_its_sentence(language: str) -> None:
    texts = texts_of(language)
    assert list(texts) == sorted(texts)
    assert not [said for said, text in texts.items() if sorted(PLACE.findall(said)) != sorted(PLACE.findall(text))]


def test_sentences_are_written_where_they_can_be_read() -> None:
    """Somebody who passes on what no reader can find has to write it there, or in a name of the same function."""
    assert heard().unread == PASSED_ON


def test_words_that_are_put_together_are_words_of_the_source() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    words = {word for said in APART for word in re.findall(r"[a-zA-Z_]{2,}", PLACE.sub(" ", said))}
    assert not [word for word in sorted(words) if not re.search(rf"\b{word}\b", sources)]


def test_words_of_pydantic_are_what_it_says() -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(list[int]).validate_python(["x", 1.5, None])
    said = {f"{fault['msg'][0].lower()}{fault['msg'][1:]}" for fault in refused.value.errors()}
    assert said <= set(FOREIGN)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('raise InvalidArgument("it is gone")', {"it is gone"}),
        ('Fault(path="", value="", problem=f"{name!r} is {size:,} bytes long", way_out="")', {"{0} is {1} bytes long"}),
        ('told = "one" if size else f"all {size}"\nraise NotAllowed(told)', {"one", "all {0}"}),
        ('more = f", and {size} more"\nchecks.passed(name, f"two{more}")', {"two{0}", ", and {0} more"}),
        ('checks.unknown(name, WORDS[size], way_out="look")', {"it is kept", "it is lost", "look"}),
        ("checks.unknown(name, say(size))", {"so said {0}"}),
        ('write.detail = f"of {name}"', {"of {0}"}),
        ('log.info("x", reason="not for people")', set()),
    ],
)
def test_the_reader_finds_what_is_said(code: str, expected: set[str]) -> None:
    body = "\n".join(f"    {line}" for line in code.splitlines())
    tree = ast.parse(
        'WORDS = {1: "it is kept", 2: "it is lost"}\n'
        'def say(size):\n    return f"so said {size}"\n'
        f"def told(name, size, checks, write, log):\n{body}\n"
    )
    found = heard_in({"some.py": tree})
    assert found.sentences.keys() == expected
    assert not found.unread


@pytest.mark.parametrize("code", ["raise InvalidArgument(name)", "checks.passed(name, ask(size))"])
def test_the_reader_tells_what_it_cannot_read(code: str) -> None:
    tree = ast.parse(f"def say(name, size, checks):\n    {code}\n")
    assert len(heard_in({"some.py": tree}).unread) == 1
