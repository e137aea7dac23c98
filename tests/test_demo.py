from __future__ import annotations

import argparse
import functools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from hooklatch.cli import demo
from hooklatch.cli.demo_cases import CASES, SENDERS

PROGRAM = [sys.executable, "-m", "hooklatch", "demo"]


def run(*given: str) -> int:
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    return demo.run(parser.parse_args(given))


def processes(output: str) -> list[int]:
    return [int(found) for found in re.findall(r"process (\d+)", output)]


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_case_of_every_sender_comes_out_as_expected_in_both_worlds() -> None:
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(PROGRAM, capture_output=True, env=latin, timeout=60, check=False)
    output = done.stdout.decode("ascii")
    assert (done.returncode, done.stderr) == (0, b""), output
    for text in (*(world.title for world in demo.WORLDS), *(case.title for case in CASES)):
        assert text in output
    assert output.count("  ".join(["genuine".ljust(29), *["204*/204* ok"] * 3])) == len(demo.WORLDS)
    heads = [line.split() for line in output.splitlines() if line.startswith(" " * 10)]
    assert heads == [" ".join(sender.title for sender in SENDERS).split()] * len(demo.WORLDS)
    assert " 0 WRONG;" in output
    assert "log of" not in output
    assert len(processes(output)) == len(demo.WORLDS)
    assert not any(alive(process) for process in processes(output))


def test_an_answer_that_is_not_expected_is_marked_and_the_logs_are_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    genuine, again, altered, *_ = CASES
    sabotaged = (
        genuine,
        replace(again, answers=(("hooklatch-duplicate", "never"),)),
        replace(altered, status=418),
        replace(genuine, title="not called", called=False),
    )
    monkeypatch.setattr(demo, "CASES", sabotaged)
    assert run() == 1
    output = capsys.readouterr().out
    assert "200/200 without hooklatch-duplicate WRONG" in output
    assert "418/403 WRONG" in output
    assert "204/204* WRONG" in output
    assert "40 checks: 10 as expected, 30 WRONG; 0 do not apply" in output
    assert output.count("log of ") == 2
    assert "refused POST /hooks/momento momento: signature_mismatch" in output


def test_a_demo_that_checks_nothing_has_not_succeeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "CASES", ())
    assert run() == 1


def test_a_missing_package_is_named_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == "waitress" else name)
    assert run() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "hooklatch demo needs waitress: pip install 'hooklatch[demo]'\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_demo_leaves_no_process_behind(number: signal.Signals) -> None:
    # A test run in the background of a shell hands its children an ignored SIGINT.
    heard = functools.partial(signal.signal, number, signal.SIG_DFL)
    with subprocess.Popen(
        PROGRAM,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heard,  # noqa: PLW1509 - it sets a signal, no more
    ) as program:
        assert program.stdout is not None
        started = processes(program.stdout.readline() + program.stdout.readline())
        assert len(started) == len(demo.WORLDS)
        program.send_signal(number)
        _, errors = program.communicate(timeout=30)
    assert program.returncode == 130
    assert errors == "hooklatch demo: stopped, and both servers with it\n"
    assert not any(alive(process) for process in started)


def test_a_server_that_ends_instead_of_starting_is_reported_with_its_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = demo.WORLDS[0], demo.World("WSGI: none", ("waitress", "--call", "hooklatch.cli.demo_apps:absent"))
    monkeypatch.setattr(demo, "WORLDS", (good, bad))
    assert run() == 1
    output = capsys.readouterr().out
    assert re.search(r"WRONG: WSGI: none ended with \d+ instead of starting", output)
    assert "; NOT FINISHED" in output
    assert "absent" in output.partition("log of WSGI: none")[2]
    assert not any(alive(process) for process in processes(output))


def test_a_server_that_does_not_start_in_time_is_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sleeper = demo.World("asleep", ("timeit", "-n1", "-r1", "__import__('time').sleep(60)"))
    monkeypatch.setattr(demo, "WORLDS", (sleeper,))
    began = time.monotonic()
    assert run("--start-limit=0.5") == 1
    assert time.monotonic() - began < 20
    assert "asleep has not started in time" in capsys.readouterr().out


@pytest.mark.parametrize("world", demo.WORLDS, ids=lambda world: world.command[0])
def test_a_port_that_somebody_took_in_between_is_left_for_another(
    world: demo.World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((demo.ADDRESS, 0)) as taken:
        ports = iter([taken.getsockname()[1], demo._free_port()])
        monkeypatch.setattr(demo, "_free_port", lambda: next(ports))
        monkeypatch.setattr(demo, "PATIENCE", 0.5)
        monkeypatch.setattr(demo, "WORLDS", (world,))
        monkeypatch.setattr(demo, "CASES", CASES[:2])
        assert run() == 0
        assert f":{taken.getsockname()[1]}," not in capsys.readouterr().out
