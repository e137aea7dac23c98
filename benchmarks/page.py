"""Writes docs/benchmarks.md and its pictures from what the benchmarks have left in results/.

python benchmarks/page.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from plot import bars, lines, short
from rounds import RESULTS

DOCS: Final = Path(__file__).parent.parent / "docs"
PICTURES: Final = DOCS / "img"

KB: Final = 1000
SIZES: Final = {200: "200 B", KB: "1 KB", 10 * KB: "10 KB", 100 * KB: "100 KB", 1000 * KB: "1 MB", 10_000 * KB: "10 MB"}
OURS: Final = "hooklatch"

PARTS: Final = ("in_process", "stores", "large_bodies", "growth", "start_up", "ripemd128", "end_to_end")

Row = dict[str, Any]
Results = dict[str, dict[str, Any]]

HOW: Final = """\
Everything is measured side by side in one run, as ratios: absolute times are those of one machine on one day. Short
slices (about 2 ms) of every variant alternate in shuffled order; the figure is the lowest of all rounds, which is what
the code costs when nothing else runs, with the median of the paired differences in the JSON beside it. "Added" is the
time of a request through an application that verifies, less the time through the same application that does not. Every
request is a delivery made and signed before the clock starts, with a body that no cache has seen; each variant is first
shown to accept a genuine delivery and to refuse a tampered one.

"Keyed HMAC" is what no verifier goes below: HMAC-SHA256 whose key is prepared, so that two hash states are copied per
request. The "floor" (`benchmarks/floor.py`) is the least a hand-written middleware for one sender can do and be right:
signature, constant-time comparison, age, the body readable again.

"hooklatch" is without its duplicate memory, which no peer has; "hooklatch, claimed" is with it, in the process.
standardwebhooks and stripe's `construct_event` return the parsed event, which a handler often needs anyway: part of
their time is that. svix, slack-sdk, gidgethub and stripe's `verify_header` only verify, as hooklatch does.
"""


def results() -> Results:
    """Return what there is, by benchmark."""
    found = {}
    for name in PARTS:
        path = RESULTS / f"{name}.json"
        if path.exists():
            found[name] = json.loads(path.read_text("utf-8"))
    return found


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return a Markdown table, figures to the right."""
    made = [f"| {' | '.join(head)} |", f"|---|{'--:|' * (len(head) - 1)}"]
    return [*made, *(f"| {' | '.join(row)} |" for row in rows), ""]


def picture(name: str, drawn: str, says: str) -> list[str]:
    """Save a picture; return the line that shows it."""
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.svg").write_text(drawn, "utf-8")
    return [f"![{says}](img/{name}.svg)", ""]


def machines(found: Results) -> list[str]:
    rows = []
    for name, made in found.items():
        where = made["machine"]
        rows.append(
            [
                f"`{name}.py`",
                f"{where['processor']}, {where['processors']} cores",
                where["python"],
                where["date"],
                str(where["load"]),
            ]
        )
    return table(["benchmark", "processor", "Python", "date", "load before"], rows)


def goals(found: Results) -> list[str]:
    rows = []
    for made in found.values():
        for goal in made["goals"]:
            side = "at least" if goal["least"] else "at most"
            unit = "" if goal["unit"] == "x" else f" {goal['unit']}"
            times = " x" if goal["unit"] == "x" else ""
            rows.append(
                [
                    goal["name"],
                    f"{side} {goal['bound']:g}{times}{unit}",
                    f"{short(goal['found'])}{times}{unit}",
                    "met" if goal["met"] else "**not met**",
                ]
            )
    return table(["goal", "bound", "measured", ""], rows)


def chosen(rows: list[Row], **wanted: object) -> dict[str, Row]:
    """Return the rows that agree with *wanted*, by variant."""
    return {row["variant"]: row for row in rows if all(row.get(name) == value for name, value in wanted.items())}


def added(row: Row) -> float:
    return float(row["added"]["min"])


def in_process(rows: list[Row]) -> list[str]:
    made = ["## What verification adds to a request", ""]
    for world, app in (("asgi", "raw"), ("wsgi", "raw"), ("asgi", "fastapi"), ("wsgi", "flask"), ("asgi", "starlette")):
        found = chosen(rows, world=world, app=app, size=KB, chunk=0)
        if not found:
            continue
        where = "no framework" if app == "raw" else {"fastapi": "FastAPI", "flask": "Flask"}.get(app, "Starlette")
        title = f"Microseconds added to a 1 KB request: {world.upper()}, {where}"
        # A hundred times the others' time would leave nothing to see of them.
        shown = (name for name, row in found.items() if "added" in row and name != "stripe construct_event")
        values = {name: added(found[name]) for name in sorted(shown, key=lambda name: added(found[name]))}
        made += picture(f"added-{world}-{app}", bars(title, values, OURS), title)
    made += peers(rows)
    for world in ("asgi", "wsgi"):
        sizes = {size: chosen(rows, world=world, app="raw", size=size, chunk=0) for size in SIZES}
        sizes = {size: found for size, found in sizes.items() if found}
        if not sizes:
            continue
        names = ("keyed HMAC", "floor", OURS, "svix", "standardwebhooks", "stripe construct_event")
        heads = [name for name in names if any(name in found for found in sizes.values())]
        figures = {
            name: {
                size: found[name]["min"] if name == "keyed HMAC" else added(found[name])
                for size, found in sizes.items()
                if name in found
            }
            for name in heads
        }
        title = f"Microseconds added, by size of the body: {world.upper()}, no framework"
        # A line that ends half way has no place for its name.
        whole = {name: points for name, points in figures.items() if len(points) == len(sizes)}
        made += picture(f"size-{world}", lines(title, whole, {size: SIZES[size] for size in sizes}), title)
        made += table(
            [f"{world.upper()}, us", *heads],
            [
                [SIZES[size], *(short(figures[name][size]) if size in figures[name] else "" for name in heads)]
                for size in sizes
            ],
        )
    return made + decisions(rows)


def peers(rows: list[Row]) -> list[str]:
    """Say where peers are as fast, from the figures."""
    found = chosen(rows, world="asgi", app="raw", size=KB, chunk=0)
    if not {"gidgethub", "hooklatch github", "hand-written", "floor"} <= found.keys():
        return []
    gidgethub, same, hand, floor = (
        short(added(found[name])) for name in ("gidgethub", "hooklatch github", "hand-written", "floor")
    )
    text = (
        "**Where there is no speed to win.** gidgethub's `validate_event` is one HMAC and one comparison, so it is at "
        f"the floor: it adds {gidgethub} us at 1 KB, hooklatch for the same sender {same} us. (It checks no age, "
        f"because GitHub signs none.) A check written by hand into the handler adds {hand} us, the floor {floor} us. "
        "From 100 KB on, whatever hashes once and copies nothing costs the hash."
    )
    return [text, ""]


def decisions(rows: list[Row]) -> list[str]:
    """Return the section about the last chunk."""
    by_size = {size: chosen(rows, app="last chunk", size=size) for size in SIZES}
    by_size = {size: found for size, found in by_size.items() if found}
    if len(by_size) < 2:  # noqa: PLR2004 - a line has two ends
        return []
    names = list(next(iter(by_size.values())))
    series = {name: {size: found[name]["min"] for size, found in by_size.items()} for name in names}
    title = "Microseconds from the last 64 KiB chunk to the decision"
    drawn = lines(title, series, {size: SIZES[size] for size in by_size})
    return [
        "## From the last chunk to the decision",
        "",
        "A body is hashed as it arrives; when its last chunk is there, only that chunk is left to hash.",
        "",
        *picture("last-chunk", drawn, title),
    ]


def end_to_end(rows: list[Row]) -> list[str]:
    made = ["## Requests per second of real servers", ""]
    for server in dict.fromkeys(row["server"] for row in rows):
        values = {row["variant"]: row["of none"] for row in rows if row["server"] == server}
        name = "".join(c if c.isalnum() else "-" for c in server.lower()).replace("--", "-")
        title = f"Requests per second, as a share of no verification: {server}"
        made += picture(f"end-{name}", bars(title, values, OURS), title)
    return made


def ripemd128(rows: list[Row]) -> list[str]:
    plain = [row for row in rows if "keyed" not in row["variant"]]
    names = list(dict.fromkeys(row["variant"] for row in plain))
    by_size = {size: chosen(plain, size=size) for size in SIZES}
    figures = [
        [SIZES[size], *(short(found[name]["speed"]) if name in found else "" for name in names)]
        for size, found in by_size.items()
        if found
    ]
    return ["## RIPEMD-128", "", *table(["MB/s", *names], figures)]


def growth(rows: list[Row]) -> list[str]:
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    counts = list(dict.fromkeys(row["count"] for row in rows))
    of_one = {(row["kind"], row["count"]): f"{row['of one']:.2f} x" for row in rows}
    text = (
        "What is added to a request, over what one of them adds. Every secret in force is tried, so their cost adds "
        "up: a rotation has two or three."
    )
    figures = [[kind, *(of_one[kind, count] for count in counts)] for kind in kinds]
    return ["## As routes, secrets and providers grow", "", text, "", *table(["", *map(str, counts)], figures)]


def start_up(rows: list[Row]) -> list[str]:
    return ["## Start-up", "", *table(["", "ms"], [[row["variant"], f"{row['min']:.1f}"] for row in rows])]


SECTIONS: Final = {
    "in_process": in_process,
    "end_to_end": end_to_end,
    "growth": growth,
    "start_up": start_up,
    "ripemd128": ripemd128,
}


def page(found: Results) -> str:
    made = ["# Benchmarks", "", "Written by `make bench`; do not edit.", "", HOW]
    made += ["## Goals", "", *goals(found)]
    for name, section in SECTIONS.items():
        if name in found:
            made += section(found[name]["rows"])
    made += ["## Where it was measured", "", *machines(found)]
    return "\n".join(made).rstrip() + "\n"


def main() -> None:
    found = results()
    if not found:
        message = f"nothing in {RESULTS}: run the benchmarks first"
        raise SystemExit(message)
    target = DOCS / "benchmarks.md"
    target.write_text(page(found), "utf-8")
    print(f"written: {target}")


if __name__ == "__main__":
    main()
