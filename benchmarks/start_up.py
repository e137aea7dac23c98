"""What importing hooklatch costs: fresh interpreters, beyond what the framework has imported already.

python benchmarks/start_up.py [--rounds 25]

Each round starts one interpreter per case, in turn. The clock runs inside it, from after the framework's import to the
end of ours; bytecode is cached, as it is in production.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from statistics import median
from typing import Any, Final

from rounds import Goal, machine, save

ONE: Final = "from hooklatch.providers import GITHUB; chain = GITHUB.chain('a secret of sixteen')"
WSGI: Final = (
    f"{ONE}; from hooklatch.wsgi import WebhookMiddleware; WebhookMiddleware(print, routes={{'/hook': chain}})"
)
ASGI: Final = (
    f"{ONE}; from hooklatch.asgi import WebhookMiddleware; WebhookMiddleware(print, routes={{'/hook': chain}})"
)

CASES: Final[
    dict[str, tuple[str, str, float | None]]
] = {  # name: (what is there already, what is timed, goal in milliseconds)
    "import hooklatch, alone": ("pass", "import hooklatch", None),
    "import hooklatch, after Flask": ("import flask", "import hooklatch", 20.0),
    "import hooklatch, after FastAPI": ("import fastapi", "import hooklatch", 20.0),
    "one provider, WSGI door, alone": ("pass", WSGI, None),
    "one provider, WSGI door, after Flask": ("import flask", WSGI, 60.0),
    "one provider, ASGI door, alone": ("pass", ASGI, None),
    "one provider, ASGI door, after FastAPI": ("import fastapi", ASGI, 60.0),
}

PROGRAM: Final = """
import time
{base}
started = time.perf_counter()
{timed}
print(time.perf_counter() - started)
"""


def one(base: str, timed: str) -> float:
    """Return the seconds that *timed* takes in a new interpreter which has done *base*."""
    command = [sys.executable, "-c", PROGRAM.format(base=base, timed=timed)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25, help="default: %(default)s")
    arguments = parser.parse_args()
    before = machine()
    print(f"Python {before['python']}, {before['processor']}, load {before['load']}; ms, min and median")
    for base, timed, _ in CASES.values():
        one(base, timed)
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(arguments.rounds):
        for name, (base, timed, _) in CASES.items():
            seconds[name].append(one(base, timed))
    rows: list[dict[str, Any]] = []
    goals = []
    for name, spent in seconds.items():
        lowest = round(min(spent) * 1e3, 2)
        row = {"variant": name, "min": lowest, "median": round(median(spent) * 1e3, 2)}
        print(f"{name:40}{row['min']:10.2f}{row['median']:10.2f}")
        rows.append(row)
        goal = CASES[name][2]
        if goal is not None:
            goals.append(Goal(name, lowest, goal, "ms"))
    print()
    save("start_up", before, rows, goals)


if __name__ == "__main__":
    main()
