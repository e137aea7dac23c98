"""How everything here is measured: rounds of short slices, every variant once a round, in shuffled order.

A slice lasts about two milliseconds, so that on a busy machine some slices of every variant are left alone: the minimum
is what the code costs, the median of the paired differences says whether that is luck. The garbage collector runs
between rounds, never inside a slice.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import random
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

RESULTS: Final = Path(__file__).parent / "results"

SLICE: Final = 0.002
MOST: Final = 100
"""Requests of a slice."""

FEWEST_ROUNDS: Final = 7
MOST_ROUNDS: Final = 400


class Timed(NamedTuple):
    """The seconds a request took, once per round."""

    rounds: list[float]

    @property
    def lowest(self) -> float:
        return min(self.rounds)

    def added(self, bare: Timed) -> dict[str, float]:
        """Return what this costs more than *bare*, in microseconds: between the minima, and the median of the pairs."""
        pairs = zip(self.rounds, bare.rounds, strict=True)
        return {
            "min": round((self.lowest - bare.lowest) * 1e6, 3),
            "median": round(median(more - less for more, less in pairs) * 1e6, 3),
        }

    def figures(self) -> dict[str, float]:
        """Return minimum and median, in microseconds."""
        return {"min": round(self.lowest * 1e6, 3), "median": round(median(self.rounds) * 1e6, 3)}


async def measure(slices: Mapping[str, Callable[[int], Awaitable[float]]], seconds: float) -> dict[str, Timed]:
    """Run the *slices* (each takes a number of requests and returns the seconds they took) for some *seconds*."""
    gc.collect()
    gc.freeze()
    gc.disable()
    counts = {}
    for name, run in slices.items():
        await run(1)
        counts[name] = min(max(int(SLICE / min([await run(1) for _ in range(3)])), 1), MOST)
    found: dict[str, list[float]] = {name: [] for name in slices}
    order = list(slices)
    end = time.perf_counter() + seconds
    for turn in range(MOST_ROUNDS):
        if turn >= FEWEST_ROUNDS and time.perf_counter() > end:
            break
        random.shuffle(order)
        gc.collect()
        for name in order:
            found[name].append(await slices[name](counts[name]) / counts[name])
    gc.enable()
    gc.unfreeze()
    return {name: Timed(spent) for name, spent in found.items()}


class Goal(NamedTuple):
    """A figure that was promised, beside what was measured."""

    name: str
    found: float
    bound: float
    unit: str = "x"
    least: bool = False
    """Whether *bound* is the least that will do instead of the most."""

    @property
    def met(self) -> bool:
        return self.found >= self.bound if self.least else self.found <= self.bound

    def __str__(self) -> str:
        side = ">=" if self.least else "<="
        verdict = "met" if self.met else "NOT met"
        return f"{self.name}: {self.found:.3g} {self.unit}   goal {side} {self.bound:g} {self.unit}, {verdict}"


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": model or platform.processor(),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def save(name: str, before: Mapping[str, Any], rows: list[dict[str, Any]], goals: list[Goal], **more: Any) -> None:  # noqa: ANN401
    """Write ``results/<name>.json`` and print the goals."""
    for goal in goals:
        print(goal)
    made = {
        "machine": before,
        **more,
        "rows": rows,
        "goals": [{**goal._asdict(), "found": round(goal.found, 4), "met": goal.met} for goal in goals],
    }
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{name}.json"
    target.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    print(f"written: {target}")
