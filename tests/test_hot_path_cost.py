"""The hot path does not become dearer unnoticed: the interpreter's instructions of one request, against a record."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
RECORD: dict[str, dict[str, int]] = json.loads((BENCHMARKS / "guard.json").read_text("utf-8"))
REQUESTS = [
    f"{world} {kind}"
    for world in ("asgi", "wsgi")
    for kind in ("verified", "verified and claimed", "refused on the head", "untouched")
]


@cache
def counted() -> dict[str, int]:
    """Return what a fresh interpreter counts: here, other tests have filled caches and set up logs."""
    command = [sys.executable, str(BENCHMARKS / "guard.py"), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def guard() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        return runpy.run_path(str(BENCHMARKS / "guard.py"))


@pytest.mark.parametrize("request_kind", REQUESTS)
def test_a_request_costs_what_was_recorded(guard: dict[str, Any], request_kind: str) -> None:
    if VERSION not in RECORD:
        pytest.skip(f"nothing is recorded for Python {VERSION}: python benchmarks/guard.py --record")
    assert guard["complaint"](request_kind, counted()[request_kind], RECORD[VERSION].get(request_kind)) == ""


def test_every_kind_of_request_is_counted() -> None:
    assert sorted(counted()) == sorted(REQUESTS)
    assert all(sorted(recorded) == sorted(REQUESTS) for recorded in RECORD.values())


@pytest.mark.parametrize(
    ("found", "recorded", "said"),
    [
        (1200, 1000, ""),
        (1201, 1000, "costs 1201 instructions, 20% more"),
        (800, 1000, ""),
        (799, 1000, "instead of 1000: python benchmarks/guard.py --record"),
        (1000, None, "was never recorded"),
    ],
)
def test_a_fifth_more_or_less_than_recorded_is_complained_of(
    guard: dict[str, Any], found: int, recorded: int | None, said: str
) -> None:
    wrong = guard["complaint"]("asgi verified", found, recorded)
    assert said in wrong
    assert bool(wrong) == bool(said)


def test_the_counter_sees_every_instruction_of_every_call(guard: dict[str, Any]) -> None:
    def work(times: int) -> int:
        return sum(inner(number) for number in range(times))

    def inner(number: int) -> int:
        return number + 1

    def cost(times: int) -> int:
        counter = guard["Counter"]()
        counter.start()
        work(times)
        found: int = counter.stop()
        return found

    few, more, most = cost(1), cost(11), cost(21)
    assert most - more == more - few > 10 * 5
    assert cost(1) == few
