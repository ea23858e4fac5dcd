"""How the program's process begins and ends."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap


def ended(program: str) -> subprocess.CompletedProcess[str]:
    """``program`` as the body of a process that ends through :func:`cosbatch.cli.program.end`. Its objects say
    ``taken apart`` where the interpreter frees them."""
    beginning = """
        import atexit, os, sys, threading
        from cosbatch.cli import program

        class Witness:
            def __del__(self, write=os.write):
                write(1, b"taken apart\\n")

        witness = Witness()
        atexit.register(os.write, 1, b"at exit\\n")
    """
    text = textwrap.dedent(beginning) + textwrap.dedent(program)
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=False, timeout=60, env=environ
    )


def test_it_ends_with_its_code_and_what_it_has_written_but_is_not_taken_apart() -> None:
    done = ended("""
        print("written", end=" ")
        program.end(3)
    """)
    assert (done.returncode, done.stdout) == (3, "at exit\nwritten ")


def test_no_code_is_success() -> None:
    assert ended("program.end(None)").returncode == 0


def test_a_message_in_place_of_a_code_is_left_to_the_interpreter() -> None:
    done = ended("""
        try:
            sys.exit("a message")
        except SystemExit as error:
            program.end(error.code)
            raise
    """)
    assert (done.returncode, done.stderr) == (1, "a message\n")
    assert done.stdout == "at exit\ntaken apart\n"


def test_a_thread_that_goes_on_is_waited_for() -> None:
    done = ended("""
        hears = threading.Event()

        def work():
            hears.wait()
            print("worked")

        threading.Thread(target=work).start()
        program.end(0)
        hears.set()
    """)
    assert done.stdout == "at exit\nworked\ntaken apart\n"


def test_output_that_cannot_be_written_is_told() -> None:
    done = ended("""
        sys.stdout = open("/dev/full", "w")
        print("lost")
        program.end(0)
    """)
    assert done.stdout == "at exit\ntaken apart\n"
    assert "No space left on device" in done.stderr


def test_the_collector_begins_once_what_is_imported_is_there() -> None:
    done = ended("""
        import gc

        program.begin()
        during = gc.isenabled()
        program.imported()
        frozen = gc.get_freeze_count()
        program.imported()
        print(during, gc.isenabled(), frozen > 1000, gc.get_freeze_count() == frozen)
        program.end(0)
    """)
    assert done.stdout == "at exit\nFalse True True True\n"


def test_the_log_comes_without_rich_which_can_be_imported_afterwards() -> None:
    done = ended("""
        program.import_log()
        print([name for name in ("structlog", "rich", "pygments") if name in sys.modules])
        import rich.console
        program.end(0)
    """)
    assert done.stdout == "at exit\n['structlog']\n"
