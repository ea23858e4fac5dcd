"""What each call of a wire asks of the book costs the same, however many keys, tokens and log lines there are."""

from __future__ import annotations

from cosbatch.ledger.sql_people import SqlPeople
from cosbatch.ledger.sqlite import open_memory
from cosbatch.model.identifiers import AccountId
from tests.contract.ledgers import HandClock
from tests.contract.people import NOW, entry, key, session, token, two_companies
from tests.unit.ledger.test_ledger_statements import listen, plan_of


async def test_no_call_of_a_wire_or_a_login_walks_over_a_table() -> None:
    database = open_memory(clock=HandClock(NOW))
    book = SqlPeople(database)
    await two_companies(book)
    await book.add_access_key(key("k"), sealed_secret="s", entry=entry("create-access-key"))
    await book.add_token(token("t"), digest="d", entry=entry("create-token"))
    heard = listen(database.connection)
    await book.access_key("k")
    await book.key_used("k", at=NOW)
    await book.token_of("d")
    await book.token_used("t", at=NOW)
    await book.count_try({"anna": 3, "192.0.2.1": 5}, window_seconds=60)
    await book.count_try({"anna": 3, "192.0.2.1": 5}, window_seconds=60)
    await book.take_back_try("192.0.2.1")
    await book.forgive_tries(["anna"])
    await book.user("anna")
    await book.improve_hash("anna", old_hash="x", new_hash="y")
    await book.add_session(session("s"), digest="e", entry=entry("login"))
    await book.session("e")
    await book.session_used("s", idle_until=NOW)
    await book.end_session("s", entry=entry("logout"))
    await book.set_password("anna", password_hash="h", must_change=False, entry=entry("change-password"))
    await book.audit(account=AccountId("account-1"), before=9, limit=5)
    await book.audit(before=9, limit=5)

    plans = {
        statement: plan_of(database.connection, statement, parameters)
        for statement, parameters in list(heard)
        if statement.split()[0] in ("SELECT", "UPDATE", "DELETE")
    }
    assert len(plans) > 15
    walked = {statement: step for statement, plan in plans.items() for step in plan if step.startswith("SCAN")}
    assert walked == {}
    assert not [step for plan in plans.values() for step in plan if "TEMP B-TREE" in step]
