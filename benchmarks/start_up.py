"""What importing hooklatch costs: fresh interpreters, beyond what the framework has imported already.

python benchmarks/start_up.py [--rounds 25]

Each round starts one interpreter per case, in turn. The clock runs inside it, from after the framework's import and the
making of an application to the end of our part. Bytecode is cached, as it is in production, whatever the environment
says: in a folder of our own, which the first, uncounted turn fills.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from rounds import Goal, machine, save

if TYPE_CHECKING:
    from collections.abc import Mapping

ONE: Final = "from hooklatch.providers import GITHUB; chain = GITHUB.chain('a secret of sixteen')"
WSGI: Final = f"{ONE}; from hooklatch.wsgi import WebhookMiddleware; WebhookMiddleware(app, routes={{'/hook': chain}})"
ASGI: Final = f"{ONE}; from hooklatch.asgi import WebhookMiddleware; WebhookMiddleware(app, routes={{'/hook': chain}})"

FLASK: Final = "import flask; app = flask.Flask('shop')"
FASTAPI: Final = "import fastapi; app = fastapi.FastAPI()"

CASES: Final[
    dict[str, tuple[str, str, float | None]]
] = {  # name: (what is there already, what is timed, goal in milliseconds)
    "import hooklatch, alone": ("pass", "import hooklatch", None),
    "import hooklatch, after Flask": (FLASK, "import hooklatch", 20.0),
    "import hooklatch, after FastAPI": (FASTAPI, "import hooklatch", 20.0),
    "one provider, WSGI door, alone": ("def app(environ, start_response): ...", WSGI, None),
    "one provider, WSGI door, after Flask": (FLASK, WSGI, 60.0),
    "one provider, ASGI door, alone": ("async def app(scope, receive, send): ...", ASGI, None),
    "one provider, ASGI door, after FastAPI": (FASTAPI, ASGI, 60.0),
}

PROGRAM: Final = """
import time
{base}
started = time.perf_counter()
{timed}
print(time.perf_counter() - started)
"""


def one(base: str, timed: str, environment: Mapping[str, str]) -> float:
    """Return the seconds that *timed* takes in a new interpreter which has done *base*."""
    command = [sys.executable, "-c", PROGRAM.format(base=base, timed=timed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout)


def measure(rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every case, once a round."""
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    with TemporaryDirectory() as cache:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = cache
        for base, timed, _ in CASES.values():
            one(base, timed, environment)
        for _ in range(rounds):
            for name, (base, timed, _) in CASES.items():
                seconds[name].append(one(base, timed, environment))
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25, help="default: %(default)s")
    arguments = parser.parse_args()
    before = machine()
    print(f"Python {before['python']}, {before['processor']}, load {before['load']}; ms, min and median")
    seconds = measure(arguments.rounds)
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
