"""What a verified request costs as routes, secrets and providers become many.

python benchmarks/growth.py [--seconds 4]

Routes: the last of so many, each with a secret of its own. Secrets: so many of one sender in force at once, signed with
the newest and with the oldest; every one is tried, so the cost of that grows with them. Tenants: one route, so many
tenants with a secret each, found by a callable from the request's head. Providers: so many records, each on its route.
A request has 1 KB; ASGI, without the duplicate memory. What it costs to set all this up is beside it.
"""

# ruff: noqa: ANN401 - applications take whatever a server gives

from __future__ import annotations

import argparse
import asyncio
import hashlib
import logging
import time
from typing import TYPE_CHECKING, Any, Final

import receivers
import senders
from drivers import Variant, asgi_slice
from hooklatch import Party, asgi
from rounds import machine, measure, save

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooklatch.chain import Chain

SIZE: Final = 1000
COUNTS: Final = (1, 10, 1000)
OPTIONS: Final[Any] = {"on_duplicate": "run"}


def secret(number: int) -> str:
    """Return the secret that is tried as the *number*-th; 0 is the one that signs."""
    return senders.SECRET if not number else hashlib.sha256(b"%d" % number).hexdigest()


def door(routes: dict[str, Chain]) -> Any:
    return asgi.WebhookMiddleware(receivers.RawASGI(), routes=routes)


def routes(count: int) -> Any:
    made = {f"/hooks/{number}": receivers.TIMED.chain(secret(number), **OPTIONS) for number in range(1, count)}
    return door({**made, senders.PATH: receivers.TIMED.chain(senders.SECRET, **OPTIONS)})


def newest(count: int) -> Any:
    return door({senders.PATH: receivers.TIMED.chain([secret(number) for number in range(count)], **OPTIONS)})


def oldest(count: int) -> Any:
    return door({senders.PATH: receivers.TIMED.chain([secret(number) for number in range(count)][::-1], **OPTIONS)})


def tenants(count: int) -> Any:
    parties = {str(number): Party(f"tenant {number}", [secret(number)]) for number in range(count)}
    return door({senders.PATH: receivers.TIMED.chain(lambda _head: parties["0"], **OPTIONS)})


def providers(count: int) -> Any:
    made = {
        f"/hooks/{number}": receivers.TIMED.using(name=f"sender_{number}").chain(secret(number), **OPTIONS)
        for number in range(1, count)
    }
    return door({**made, senders.PATH: receivers.TIMED.chain(senders.SECRET, **OPTIONS)})


KINDS: Final[dict[str, Callable[[int], Any]]] = {
    "routes": routes,
    "secrets in force, signed with the newest": newest,
    "secrets in force, signed with the oldest": oldest,
    "tenants": tenants,
    "providers": providers,
}


async def run_all(seconds: float) -> None:
    before = machine()
    print(f"Python {before['python']}, {before['processor']}, load {before['load']}; us, min and median")
    print(f"{'':44}{'number':>8}{'a request':>20}{'x of 1':>9}{'set-up, ms':>12}")
    rows: list[dict[str, Any]] = []
    bare = Variant(senders.TIMED, receivers.RawASGI())
    for kind, make in KINDS.items():
        set_up = {}
        slices = {"bare": asgi_slice(bare, SIZE, 0)}
        for count in COUNTS:
            started = time.perf_counter()
            app = make(count)
            set_up[str(count)] = round((time.perf_counter() - started) * 1e3, 2)
            slices[str(count)] = asgi_slice(Variant(senders.TIMED, app), SIZE, 0)
        found = await measure(slices, seconds)
        one = found[str(COUNTS[0])].added(found["bare"])["min"]
        for count in COUNTS:
            timed = found[str(count)]
            added = timed.added(found["bare"])
            row = {
                "kind": kind,
                "count": count,
                **timed.figures(),
                "added": added,
                "of one": round(added["min"] / one, 3),
                "set-up ms": set_up[str(count)],
            }
            rows.append(row)
            line = f"{kind:44}{count:8}{row['min']:10.2f}{row['median']:10.2f}"
            print(f"{line}{row['of one']:9.2f}{row['set-up ms']:12.2f}", flush=True)
    save("growth", before, rows, [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="of every kind; default: %(default)s")
    arguments = parser.parse_args()
    logging.getLogger("hooklatch").setLevel(logging.ERROR)
    asyncio.run(run_all(arguments.seconds))


if __name__ == "__main__":
    main()
