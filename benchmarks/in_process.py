"""What verification adds to a request in one process: hooklatch, the floor, and peers in a handler, side by side.

python benchmarks/in_process.py [--quick] [--seconds 4] [--only asgi] [--loop uvloop]

Needs the dependency group ``bench``. "Added" is the time of a request through an application that checks it, less that
through the same application without a check; see ``rounds.py``. Every request is a delivery nobody has seen, made and
signed before the clock starts; every variant is first shown to accept a genuine and to refuse a tampered one.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from typing import Any, Final, NamedTuple

import floor
import receivers
import senders
from decisions import head_and_elsewhere, last_chunk
from drivers import CHUNK, Variant, asgi_slice, hmac_slice, prove, wsgi_slice
from rounds import Goal, Timed, machine, measure, save

KB: Final = 1000
SIZES: Final = (200, KB, 10 * KB, 100 * KB, 1000 * KB, 10_000 * KB)


# ---- variants


def raw(world: str, size: int) -> dict[str, Variant]:
    """Return what runs without a framework."""
    plain = receivers.RawWSGI if world == "wsgi" else receivers.RawASGI
    lowest: Any = floor.FloorWSGI if world == "wsgi" else floor.FloorASGI
    made = {
        "bare": Variant(senders.TIMED, plain()),
        "floor": Variant(senders.TIMED, lowest(plain(), senders.SECRET)),
    }
    for name, (scheme, _, _) in receivers.CHAINS.items():
        if name != "hooklatch stripe" or size <= 100 * KB:
            made[name] = Variant(scheme, receivers.latched(world, plain(), name))
    for name, (scheme, peer) in receivers.PEERS.items():
        # A quarter of a second each, and ten times that: nothing is learned that 100 KB do not show.
        if name != "stripe construct_event" or size <= 100 * KB:
            made[name] = Variant(scheme, plain(peer(senders.SECRET), scheme.names))
    return made


def framework(kind: str) -> dict[str, Variant]:
    """Return what runs in a framework."""
    make = {"starlette": receivers.starlette, "fastapi": receivers.fastapi, "flask": receivers.flask}[kind]
    world = "wsgi" if kind == "flask" else "asgi"
    lowest: Any = floor.FloorWSGI if world == "wsgi" else floor.FloorASGI
    made = {
        "bare": Variant(senders.TIMED, make()),
        "floor": Variant(senders.TIMED, lowest(make(), senders.SECRET)),
        "hooklatch": Variant(senders.TIMED, receivers.latched(world, make(), "hooklatch")),
        "hooklatch, claimed": Variant(senders.TIMED, receivers.latched(world, make(), "hooklatch, claimed")),
    }
    if kind == "starlette":
        made["BaseHTTPMiddleware"] = Variant(senders.TIMED, receivers.base_http_middleware())
    if kind == "fastapi":
        made["dependency"] = Variant(senders.TIMED, receivers.fastapi_dependency())
    for name in ("hand-written", "standardwebhooks", "svix", "slack-sdk"):
        scheme, peer = receivers.PEERS[name]
        made[name] = Variant(scheme, make(peer(senders.SECRET), scheme.names))
    return made


# ---- cases


class Case(NamedTuple):
    """What is measured together."""

    world: str
    app: str
    size: int
    chunk: int

    def __str__(self) -> str:
        way = "" if self.world == "wsgi" else " in 64 KiB chunks" if self.chunk else " in one chunk"
        return f"{self.world} {self.app}, {shown(self.size)}{way}"


def shown(size: int) -> str:
    return f"{size // (1000 * KB)} MB" if size >= 1000 * KB else f"{size // KB} KB" if size >= KB else f"{size} B"


def cases(*, quick: bool) -> list[Case]:
    if quick:
        return [Case(world, "raw", KB, 0) for world in ("asgi", "wsgi")]
    made = [Case("asgi", "raw", size, 0) for size in SIZES]
    made += [Case("asgi", "raw", size, CHUNK) for size in SIZES[3:]]
    made += [Case("wsgi", "raw", size, 0) for size in SIZES]
    for size in SIZES[1:5]:
        made += [Case("asgi", "starlette", size, 0), Case("asgi", "fastapi", size, 0), Case("wsgi", "flask", size, 0)]
    return made


Figures = dict[Case, dict[str, Timed]]


async def run_case(case: Case, seconds: float) -> dict[str, Timed]:
    variants = raw(case.world, case.size) if case.app == "raw" else framework(case.app)
    await prove(variants, case.world)
    slices = {
        name: wsgi_slice(variant, case.size) if case.world == "wsgi" else asgi_slice(variant, case.size, case.chunk)
        for name, variant in variants.items()
    }
    chunk = CHUNK if case.world == "wsgi" else case.chunk
    return await measure({"keyed HMAC": hmac_slice(case.size, chunk), **slices}, seconds)


def print_case(case: Case, found: dict[str, Timed]) -> list[dict[str, Any]]:
    rows = []
    print(f"\n{case}; {len(found['bare'].rounds)} rounds; us, min and median")
    print(f"{'':38}{'a request':>20}{'added':>22}{'x HMAC':>9}")
    hmac = found["keyed HMAC"]
    for name, timed in found.items():
        row: dict[str, Any] = {**case._asdict(), "variant": name, **timed.figures()}
        line = f"{name:38}{row['min']:10.2f}{row['median']:10.2f}"
        if name not in {"bare", "keyed HMAC"}:
            row["added"] = timed.added(found["bare"])
            row["of hmac"] = round(row["added"]["min"] / (hmac.lowest * 1e6), 3)
            line += f"{row['added']['min']:12.2f}{row['added']['median']:10.2f}{row['of hmac']:9.2f}"
        print(line, flush=True)
        rows.append(row)
    return rows


# ---- goals


def added(found: dict[str, Timed], name: str) -> float:
    """Return the microseconds that *name* adds, between the minima."""
    return (found[name].lowest - found["bare"].lowest) * 1e6


def goals(figures: Figures) -> list[Goal]:
    made = []
    ours = "hooklatch"

    def over(case: Case, name: str, base: str, bound: float) -> None:
        if case in figures:
            found = figures[case]
            what = found[base].lowest * 1e6 if base == "keyed HMAC" else added(found, base)
            made.append(Goal(f"{case}: {name} over {base}", added(found, name) / what, bound))

    def less(case: Case, name: str, peer: str, bound: float) -> None:
        if case in figures:
            found = figures[case]
            ratio = added(found, peer) / added(found, name)
            made.append(Goal(f"{case}: {peer} over {name}", ratio, bound, least=True))

    for size, bound in ((KB, 4.0), (10 * KB, 1.7), (100 * KB, 1.15)):
        over(Case("asgi", "raw", size, 0), ours, "keyed HMAC", bound)
    over(Case("asgi", "raw", 1000 * KB, CHUNK), ours, "keyed HMAC", 1.10)
    for size, bound in ((KB, 3.5), (10 * KB, 1.6)):
        over(Case("wsgi", "raw", size, 0), ours, "keyed HMAC", bound)
    for world in ("asgi", "wsgi"):
        over(Case(world, "raw", KB, 0), ours, "floor", 2.0)
        over(Case(world, "raw", KB, 0), "hooklatch, claimed", "floor", 3.0)
    standard = "hooklatch standard_webhooks"
    for size, bound in ((KB, 3), (10 * KB, 7), (100 * KB, 10)):
        less(Case("asgi", "raw", size, 0), standard, "standardwebhooks", bound)
    less(Case("asgi", "raw", KB, 0), standard, "svix", 1.8)
    less(Case("asgi", "raw", 1000 * KB, CHUNK), standard, "svix", 3)
    less(Case("asgi", "raw", KB, 0), ours, "slack-sdk", 1.0)
    less(Case("asgi", "starlette", KB, 0), ours, "BaseHTTPMiddleware", 30)
    return made


def other_goals(elsewhere: dict[str, dict[str, Timed]], last: dict[str, Timed]) -> list[Goal]:
    made = []
    for world, found in elsewhere.items():
        made += [
            Goal(f"{world}: refusal on the head, body unread", found["refused"].lowest * 1e6, 5.0, "us"),
            Goal(f"{world}: what a path that is no route pays", added(found, "untouched"), 0.5, "us"),
        ]
    if last:
        share = last["hooklatch"].lowest / last["hashed at the end"].lowest
        made.append(Goal("asgi: last chunk of 1 MB to the decision, over hashing it at the end", share, 0.1))
    return made


async def main_loop(arguments: argparse.Namespace) -> None:
    before = machine()
    print(f"Python {before['python']}, {arguments.loop}, {before['processor']}, load {before['load']}")
    rows: list[dict[str, Any]] = []
    figures: Figures = {}
    for case in cases(quick=arguments.quick):
        if not str(case).startswith(arguments.only):
            continue
        figures[case] = await run_case(case, arguments.seconds)
        rows += print_case(case, figures[case])
    elsewhere = {}
    for world in ("asgi", "wsgi"):
        elsewhere[world] = await head_and_elsewhere(world, arguments.seconds)
        print(f"\n{world}, not handed on; us, min and median")
        for name, timed in elsewhere[world].items():
            row = {"world": world, "app": "raw", "variant": name, **timed.figures()}
            rows.append(row)
            print(f"{name:38}{row['min']:10.2f}{row['median']:10.2f}")
    last: dict[str, Timed] = {}
    if not arguments.quick:
        for size in (100 * KB, 1000 * KB, 10_000 * KB):
            found = await last_chunk(size, arguments.seconds)
            last = found if size == 1000 * KB else last
            print(f"\nasgi raw, {shown(size)}: from the last 64 KiB chunk to the decision; us, min and median")
            for name, timed in found.items():
                row = {"world": "asgi", "app": "last chunk", "size": size, "variant": name, **timed.figures()}
                rows.append(row)
                print(f"{name:38}{row['min']:10.2f}{row['median']:10.2f}", flush=True)
    print()
    save(arguments.output, before, rows, goals(figures) + other_goals(elsewhere, last), loop=arguments.loop)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="of every table; default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="1 KB without a framework only, for a look in between")
    parser.add_argument("--only", default="", help="tables whose title begins so, such as 'asgi raw, 1 KB'")
    parser.add_argument("--loop", default="uvloop", choices=["uvloop", "asyncio"], help="default: %(default)s")
    parser.add_argument("--output", default="in_process", help="name in results/; default: %(default)s")
    arguments = parser.parse_args()
    # A refusal is one line in the log; what that costs is the business of whoever set up the handlers.
    logging.getLogger("hooklatch").setLevel(logging.ERROR)
    if arguments.loop == "uvloop":
        import uvloop  # noqa: PLC0415 - of the group bench

        uvloop.run(main_loop(arguments))
    else:
        asyncio.run(main_loop(arguments))


if __name__ == "__main__":
    main()
