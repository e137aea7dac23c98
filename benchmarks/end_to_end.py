"""Requests per second of real servers over the loopback: none verified, hooklatch, the floor, standardwebhooks.

python benchmarks/end_to_end.py [--rounds 8] [--only uvicorn]

Needs ``wrk`` (apt-get install wrk) and the dependency group ``bench``. One worker on the first core, wrk with one
thread and 32 connections on the second; 1 KB bodies; slices of a second, every variant once a round in shuffled order,
each round's figures divided by that round's server without verification. What claims is sent deliveries nobody has
seen; the others one signed delivery over and over. Anything but a 2xx ends the run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import receivers
import senders
from rounds import Goal, machine, save

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).parent
SIZE: Final = 1000
POOL: Final = 40_000
"""Unseen deliveries for one slice: more than any server here answers in it."""

CLAIMED: Final = "hooklatch standard_webhooks, claimed"
VARIANTS: Final = ("none", "floor", "hooklatch", CLAIMED, "standardwebhooks")

UVICORN: Final = "-m uvicorn served:app --log-level warning --no-access-log --port {port}"
GRANIAN: Final = "-m granian served:app --interface asginl --workers 1 --log-level warning --port {port}"
GUNICORN: Final = "-m gunicorn served:app --workers 1 --log-level warning --bind 127.0.0.1:{port}"
SERVERS: Final = {  # name: (arguments, kind of application)
    "uvicorn, raw ASGI": (UVICORN, "raw ASGI"),
    "uvicorn, FastAPI": (UVICORN, "FastAPI"),
    "granian, raw ASGI": (GRANIAN, "raw ASGI"),
    "gunicorn sync, raw WSGI": (GUNICORN, "raw WSGI"),
    "gunicorn sync, Flask": (GUNICORN, "Flask"),
}

SCRIPT: Final = """
local requests = {}
local turn = 0
local body = io.open("%(body)s", "rb"):read("*a")
for line in io.lines("%(heads)s") do
    local headers = {["content-type"] = "application/json"}
    for name, value in line:gmatch("([^\\t]+)\\t([^\\t]+)") do headers[name] = value end
    requests[#requests + 1] = wrk.format("POST", "%(path)s", headers, body)
end
request = function()
    turn = turn %% #requests + 1
    return requests[turn]
end
"""


def pinned(core: int) -> list[str]:
    """Return what keeps a command on one core, where there are two and a tool for it."""
    return ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 and shutil.which("taskset") else []


@contextlib.contextmanager
def served(name: str, variant: str) -> Iterator[int]:
    """Yield the port of a running server."""
    arguments, kind = SERVERS[name]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    process = subprocess.Popen(
        [*pinned(0), sys.executable, *arguments.format(port=port).split()],
        cwd=HERE,
        env={**os.environ, "BENCHMARK_KIND": kind, "BENCHMARK_VARIANT": variant},
    )
    try:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def script(folder: Path, variant: str) -> Path:
    """Return a script for wrk that sends *variant* what it accepts."""
    scheme = senders.TIMED
    if variant in receivers.PEERS:
        scheme, _ = receivers.PEERS[variant]
    elif variant == CLAIMED:
        scheme = senders.STANDARD
    body = senders.body_of(SIZE)
    count = POOL if variant == CLAIMED else 1
    stem = re.sub(r"\W+", "-", variant)
    paths = {"body": folder / f"{stem}.body", "heads": folder / f"{stem}.heads", "path": senders.PATH}
    signed = (scheme.sign(body) for _ in range(count))
    lines = ["\t".join(f"{name}\t{value}" for name, value in headers.items()) for headers in signed]
    (folder / f"{stem}.body").write_bytes(body)
    (folder / f"{stem}.heads").write_text("\n".join(lines) + "\n", "ascii")
    made = folder / f"{stem}.lua"
    made.write_text(SCRIPT % paths, "ascii")
    return made


def rate(port: int, script: Path, seconds: int) -> float:
    """Return the requests per second that the server at *port* answers; raise for any that is no 2xx."""
    command = [*pinned(1), "wrk", "-t1", "-c32", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    if found is None or "Non-2xx" in said or re.search(r"Socket errors:.*(connect|write|timeout) [1-9]", said):
        raise AssertionError(said)
    return float(found[1])


def measure(name: str, rounds: int, seconds: int) -> dict[str, list[float]]:
    """Return the requests per second of every variant, once a round."""
    rates: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    with tempfile.TemporaryDirectory() as given, contextlib.ExitStack() as running:
        folder = Path(given)
        ports = {variant: running.enter_context(served(name, variant)) for variant in VARIANTS}
        for variant, port in ports.items():
            rate(port, script(folder, variant), 1)
        order = list(VARIANTS)
        for _ in range(rounds):
            random.shuffle(order)
            for variant in order:
                rates[variant].append(rate(ports[variant], script(folder, variant), seconds))
    return rates


def ratio(rates: dict[str, list[float]], more: str, less: str) -> float:
    return median(one / other for one, other in zip(rates[more], rates[less], strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8, help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=1, help="of a slice; default: %(default)s")
    parser.add_argument("--only", default="", help="servers whose name begins so")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("wrk is missing: apt-get install wrk")
    before = machine()
    print(f"Python {before['python']}, {before['processor']}, load {before['load']}; requests a second, ratio to none")
    rows: list[dict[str, Any]] = []
    goals = []
    for name in SERVERS:
        if not name.startswith(arguments.only):
            continue
        rates = measure(name, arguments.rounds, arguments.seconds)
        for variant, found in rates.items():
            made = {
                "server": name,
                "variant": variant,
                "a second": round(median(found), 1),
                "of none": round(ratio(rates, variant, "none"), 3),
                "of standardwebhooks": round(ratio(rates, variant, "standardwebhooks"), 3),
            }
            rows.append(made)
            print(f"{name:26}{variant:38}{made['a second']:12.0f}{made['of none']:9.2f}", flush=True)
        if name == "uvicorn, raw ASGI":
            once = "uvicorn, 1 KB: requests per second,"
            goals += [
                Goal(f"{once} over no verification", ratio(rates, "hooklatch", "none"), 0.7, least=True),
                Goal(
                    f"{once} over standardwebhooks in the handler",
                    ratio(rates, "hooklatch", "standardwebhooks"),
                    1.6,
                    least=True,
                ),
            ]
    print()
    save("end_to_end", before, rows, goals)


if __name__ == "__main__":
    main()
