"""Guards the hot path by what it executes, not by a clock: the bytecode instructions of one request.

python benchmarks/guard.py            # compare with guard.json; exit 1 where a request became 20 % dearer, or cheaper
python benchmarks/guard.py --record   # write what this Python counts into guard.json

The counts do not depend on the machine or its load, only on the code and Python's minor version. They say nothing about
what C functions do (hashing, regular expressions), which no change of ours makes slower unnoticed. Instructions of the
standard library and of anyio are counted where a request runs them. A figure that fell by 20 % has to be recorded too:
otherwise what was gained could be lost again without a word.
"""

# ruff: noqa: ANN401 - applications take whatever a server gives

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import receivers
import senders
from drivers import Variant, call, environ_of, scope_and_receive
from senders import deliver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

RECORD: Final = Path(__file__).parent / "guard.json"
TOLERANCE: Final = 0.2
SIZE: Final = 1000
WARM_UP: Final = 5
TAKEN: Final = 5
"""Requests that are counted; the fewest instructions of them are the figure, so that a sweep of the memory is none."""


class Counter:
    """Counts the instructions of every Python frame that begins between ``start`` and ``stop``."""

    def __init__(self) -> None:
        self.count = 0
        self._before: Any = None

    def _trace(self, frame: Any, event: str, _: Any) -> Any:
        if event == "call":
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
        elif event == "opcode":
            self.count += 1
        return self._trace

    def start(self) -> None:
        self.count = 0
        self._before = sys.gettrace()
        sys.settrace(self._trace)

    def stop(self) -> int:
        sys.settrace(self._before)
        return self.count


def variants(world: str) -> dict[str, Variant]:
    app = receivers.RawWSGI() if world == "wsgi" else receivers.RawASGI()
    doors = {name: receivers.latched(world, app, name) for name in ("hooklatch", "hooklatch, claimed")}
    return {
        "verified": Variant(senders.TIMED, doors["hooklatch"]),
        "verified and claimed": Variant(senders.TIMED, doors["hooklatch, claimed"]),
        "refused on the head": Variant(senders.NOBODY, doors["hooklatch"], expected=401),
        "untouched": Variant(senders.NOBODY, doors["hooklatch"], path="/elsewhere"),
    }


def of_wsgi(variant: Variant) -> Callable[[], Awaitable[int]]:
    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:  # noqa: ARG001
        if not status.startswith(str(variant.expected)):
            raise AssertionError(status)

    async def once() -> int:
        environ = environ_of(variant, deliver(variant.scheme, SIZE))
        counter = Counter()
        counter.start()
        call(variant.app, environ, start_response)
        return counter.stop()

    return once


def of_asgi(variant: Variant) -> Callable[[], Awaitable[int]]:
    async def send(message: Any) -> None:
        if message.get("status", variant.expected) != variant.expected:
            raise AssertionError(message)

    async def once() -> int:
        scope, receive = scope_and_receive(variant, deliver(variant.scheme, SIZE), 0)
        counter = Counter()
        counter.start()
        await variant.app(scope, receive, send)
        return counter.stop()

    return once


async def counts() -> dict[str, int]:
    """Return the instructions of one request of each kind, in both worlds."""
    found = {}
    for world, of in (("asgi", of_asgi), ("wsgi", of_wsgi)):
        for name, variant in variants(world).items():
            once = of(variant)
            for _ in range(WARM_UP):
                await once()
            found[f"{world} {name}"] = min([await once() for _ in range(TAKEN)])
    return found


def complaint(name: str, found: int, recorded: int | None) -> str:
    """Return what is wrong with *found*, empty if nothing."""
    if recorded is None:
        return f"{name} was never recorded: python benchmarks/guard.py --record"
    if found > recorded * (1 + TOLERANCE):
        return f"{name} costs {found} instructions, {found / recorded - 1:.0%} more than the recorded {recorded}"
    if found < recorded * (1 - TOLERANCE):
        return f"{name} costs {found} instructions instead of {recorded}: python benchmarks/guard.py --record"
    return ""


def compared(found: dict[str, int], recorded: dict[str, int]) -> list[str]:
    """Return what is wrong, one sentence a figure."""
    return [wrong for name, count in found.items() if (wrong := complaint(name, count, recorded.get(name)))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write the counts of this Python into guard.json")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON and compare nothing")
    arguments = parser.parse_args()
    if sys.flags.hash_randomization:
        # The order of a set decides how long a search in it takes.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    logging.getLogger("hooklatch").setLevel(logging.ERROR)
    found = asyncio.run(counts())
    if arguments.json:
        print(json.dumps(found))
        return 0
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    record = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    if arguments.record:
        record[version] = found
        RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", "utf-8")
    recorded = record.get(version, {})
    print(f"Python {version}: instructions a request, found and recorded")
    for name, count in found.items():
        print(f"{name:28}{count:8}{recorded.get(name, '-'):>8}")
    wrong = compared(found, recorded)
    print("\n".join(wrong) or "within 20 % of the record")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
