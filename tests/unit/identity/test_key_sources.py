"""The keys that seal secrets come from where the settings say, and stay what they are."""

from __future__ import annotations

import base64
import shlex
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cosbatch.identity.ciphers import KeyRing
from cosbatch.identity.key_sources import KEY_FILE, load_key_ring, write_key_ring
from cosbatch.model.errors import InvalidArgument

KEY, OLDER = b"k" * 32, b"o" * 32
TEXT = f"# comment\n{base64.b64encode(KEY).decode()}  # the current one\n\n{base64.b64encode(OLDER).decode()}\n"
RING = KeyRing(current=KEY, older=(OLDER,))


def test_a_file_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    made = load_key_ring(folder, may_make=True)
    assert load_key_ring(folder, may_make=True) == made == load_key_ring(folder)
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]


def test_processes_that_make_it_at_once_have_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: load_key_ring(tmp_path, may_make=True), range(16)))
    assert len(set(made)) == 1


def test_a_missing_file_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="put the file back"):
        load_key_ring(tmp_path)
    with pytest.raises(InvalidArgument, match="no such file"):
        load_key_ring(tmp_path, file=tmp_path / "elsewhere")
    assert list(tmp_path.iterdir()) == []


def test_a_ring_that_was_written_is_read(tmp_path: Path) -> None:
    write_key_ring(tmp_path / "keys", RING)
    assert load_key_ring(tmp_path, file=tmp_path / "keys") == RING
    write_key_ring(tmp_path / "keys", RING.without_older())
    assert load_key_ring(tmp_path, file=tmp_path / "keys") == RING.without_older()
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    write_key_ring(tmp_path / "keys", RING)
    (tmp_path / "keys").chmod(0o640)
    with pytest.raises(InvalidArgument, match="chmod 600"):
        load_key_ring(tmp_path, file=tmp_path / "keys")


def test_a_variable(tmp_path: Path) -> None:
    assert load_key_ring(tmp_path, variable="KEYS", environment={"KEYS": TEXT}) == RING
    with pytest.raises(InvalidArgument, match="KEYS"):
        load_key_ring(tmp_path, variable="KEYS", environment={})


def test_a_command(tmp_path: Path) -> None:
    print_it = shlex.join([sys.executable, "-c", f"print({TEXT!r})"])
    assert load_key_ring(tmp_path, command=print_it) == RING
    fail = shlex.join([sys.executable, "-c", "import sys; sys.exit('no access to the vault')"])
    with pytest.raises(InvalidArgument, match="code 1 and said: no access to the vault"):
        load_key_ring(tmp_path, command=fail)
    with pytest.raises(InvalidArgument, match="cannot be run"):
        load_key_ring(tmp_path, command=str(tmp_path / "none"))


def test_only_one_source_can_be_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="several sources") as refused:
        load_key_ring(tmp_path, variable="KEYS", command="vault")
    assert [fault.value for fault in refused.value.faults] == ["env:KEYS command:vault"]


@pytest.mark.parametrize("text", ["", "# nothing", "c2hvcnQ=", "not base64 at all!", TEXT + "x" * 44])
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        load_key_ring(tmp_path, variable="KEYS", environment={"KEYS": text})
    assert base64.b64encode(KEY).decode() not in str(refused.value)
    assert "xxxx" not in str(refused.value)
