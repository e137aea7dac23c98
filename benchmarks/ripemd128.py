"""RIPEMD-128: the C extension beside hashlib's MD5, the pure Python fallback beside a plain loop over tables.

python benchmarks/ripemd128.py [--seconds 4]

Each hash takes whole messages, and as a keyed HMAC copies two keyed states, as ``HMACKey`` does.
"""

# ruff: noqa: ANN401 - hash classes have no common base

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import runpy
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hooklatch._ripemd128 import RIPEMD128 as FALLBACK
from hooklatch._ripemd128_c import RIPEMD128 as EXTENSION
from rounds import Goal, Timed, machine, measure, save

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

KB: Final = 1000
SIZES: Final = (200, KB, 10 * KB, 100 * KB, 1000 * KB)
SLOW: Final = 10 * KB
"""Largest message for what takes a millisecond a kilobyte."""

_GENERATOR: Final = Path(__file__).parent.parent / "tools" / "generate_ripemd128.py"


def steps() -> tuple[list[tuple[int, int, int, int]], ...]:
    """Return the 64 steps of either line as (function, word, constant, rotation), from the generator's tables."""
    tables = runpy.run_path(str(_GENERATOR))
    made = []
    for order, constants, numbers in (
        (tables["LEFT_ORDER"], tables["LEFT_CONSTANTS"], (0, 1, 2, 3)),
        (tables["RIGHT_ORDER"], tables["RIGHT_CONSTANTS"], (3, 2, 1, 0)),
    ):
        line = []
        words = order
        for shifts, constant, number in zip(tables["SHIFTS"], constants, numbers, strict=True):
            line += [(number, word, constant, shifts[word]) for word in words]
            words = tuple(tables["RHO"][word] for word in words)
        made.append(line)
    return tuple(made)


class TableLoop:
    """RIPEMD-128 as one writes it down from the paper: 64 turns of a loop over tables, for either line."""

    _lines = steps()
    _functions = (
        lambda x, y, z: x ^ y ^ z,
        lambda x, y, z: (x & y) | (~x & z),
        lambda x, y, z: (x | ~y) ^ z,
        lambda x, y, z: (x & z) | (y & ~z),
    )

    def __init__(self, message: bytes) -> None:
        self._message = message

    def digest(self) -> bytes:
        message = self._message
        padded = message + b"\x80" + bytes(-(len(message) + 9) % 64) + (8 * len(message)).to_bytes(8, "little")
        state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
        for words in struct.iter_unpack("<16I", padded):
            ends = []
            for line in self._lines:
                a, b, c, d = state
                for number, word, constant, by in line:
                    total = (a + self._functions[number](b, c, d) + words[word] + constant) & 0xFFFFFFFF
                    a, b, c, d = d, (total << by | total >> (32 - by)) & 0xFFFFFFFF, b, c
                ends.append((a, b, c, d))
            left, right = ends
            state = [(state[(i + 1) % 4] + left[(i + 2) % 4] + right[(i + 3) % 4]) & 0xFFFFFFFF for i in range(4)]
        return struct.pack("<4I", *state)


HASHES: Final[dict[str, Any]] = {
    "C extension": EXTENSION,
    "hashlib MD5": hashlib.md5,
    "pure Python": FALLBACK,
    "table loop": TableLoop,
}


def hashing(new: Any, size: int) -> Callable[[int], Awaitable[float]]:
    message = os.urandom(size)

    async def run(count: int) -> float:
        started = time.perf_counter()
        for _ in range(count):
            new(message).digest()
        return time.perf_counter() - started

    return run


def keyed(new: Any, size: int) -> Callable[[int], Awaitable[float]]:
    message = os.urandom(size)
    inner, outer = new(b"\x36" * 64), new(b"\x5c" * 64)

    async def run(count: int) -> float:
        started = time.perf_counter()
        for _ in range(count):
            running = inner.copy()
            running.update(message)
            last = outer.copy()
            last.update(running.digest())
            last.digest()
        return time.perf_counter() - started

    return run


async def run_all(seconds: float) -> None:
    before = machine()
    print(
        f"Python {before['python']}, {before['processor']}, load {before['load']}; us, min and median; MB/s of the min"
    )
    rows: list[dict[str, Any]] = []
    found: dict[int, dict[str, Timed]] = {}
    for size in SIZES:
        hashes = HASHES if size <= SLOW else dict(list(HASHES.items())[:2])
        slices = {name: hashing(new, size) for name, new in hashes.items()}
        slices |= {f"{name}, keyed HMAC": keyed(new, size) for name, new in hashes.items() if new is not TableLoop}
        found[size] = await measure(slices, seconds)
        print(f"\n{size:,} bytes")
        for name, timed in found[size].items():
            speed = round(size / timed.lowest / 1e6, 2)
            rows.append({"size": size, "variant": name, **timed.figures(), "speed": speed})
            print(f"{name:28}{rows[-1]['min']:12.2f}{rows[-1]['median']:12.2f}{speed:10.2f}", flush=True)
    print()
    fast, slow = found[100 * KB], found[SLOW]
    goals = [
        Goal(
            "RIPEMD-128 in C over hashlib's MD5, speed at 100 KB",
            fast["hashlib MD5"].lowest / fast["C extension"].lowest,
            0.9,
            least=True,
        ),
        Goal(
            "RIPEMD-128 in pure Python over a table loop, speed at 10 KB",
            slow["table loop"].lowest / slow["pure Python"].lowest,
            1.7,
            least=True,
        ),
    ]
    save("ripemd128", before, rows, goals)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="of every table; default: %(default)s")
    arguments = parser.parse_args()
    message = bytes(range(200))
    if len({new(message).digest() for name, new in HASHES.items() if name != "hashlib MD5"}) > 1:
        msg = "the implementations disagree"
        raise SystemExit(msg)
    asyncio.run(run_all(arguments.seconds))


if __name__ == "__main__":
    main()
