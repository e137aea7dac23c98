"""What the benchmarks compare with is right, and their page says what their files say."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from hooklatch.testing import Answered, call_asgi, call_wsgi

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
PLAIN = ("floor", "senders", "rounds", "plot", "page", "drivers", "receivers")


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """Return what imports a module of the benchmarks, which are no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module
        for name in PLAIN:
            sys.modules.pop(name, None)


@pytest.fixture(params=["wsgi", "asgi"])
def send(request: pytest.FixtureRequest, bench: Any) -> Any:
    """Return what sends headers and body, in chunks, to the floor; and the bodies that the application then read."""
    floor, senders = bench("floor"), bench("senders")
    seen: list[bytes] = []

    def wsgi(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("204 No Content", [])
        return []

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        seen.append(message["body"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def post(headers: dict[str, str], body: bytes) -> int:
        delivery = ("POST", senders.PATH, headers, body)
        answered: Answered
        if request.param == "wsgi":
            answered = call_wsgi(floor.FloorWSGI(wsgi, senders.SECRET), delivery, wsgi__input=io.BytesIO(body))
        else:
            pieces = [body[start : start + 400] for start in range(0, len(body), 400)]
            events = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
            events[-1]["more_body"] = False
            app = floor.FloorASGI(asgi, senders.SECRET)
            answered = asyncio.run(call_asgi(app, delivery, events=events))
        return answered.status

    post.seen = seen  # type: ignore[attr-defined]
    return post


def test_the_floor_accepts_what_is_genuine_and_hands_the_body_on(send: Any, bench: Any) -> None:
    senders = bench("senders")
    sent = senders.deliver(senders.TIMED, 1000)
    assert send(sent.headers, sent.body) == 204
    assert send.seen == [sent.body]


def earlier(signature: str) -> str:
    """Return the header with a time one second before the one that was signed."""
    sent, rest = signature.removeprefix("t=").split(",", 1)
    return f"t={int(sent) - 1},{rest}"


@pytest.mark.parametrize(
    "change",
    [
        lambda headers, body: (headers, body[:-1] + b"!"),
        lambda headers, body: ({}, body),
        lambda headers, body: ({"stripe-signature": headers["stripe-signature"][:-2]}, body),
        lambda headers, body: ({"stripe-signature": headers["stripe-signature"][:-2] + "zz"}, body),
        lambda headers, body: ({"stripe-signature": earlier(headers["stripe-signature"])}, body),
        lambda headers, body: ({"stripe-signature": headers["stripe-signature"].replace("t=", "t=x")}, body),
    ],
    ids=["the body", "no signature", "cut short", "not hexadecimal", "another time", "no number"],
)
def test_the_floor_refuses_what_is_not(send: Any, bench: Any, change: Any) -> None:
    senders = bench("senders")
    sent = senders.deliver(senders.TIMED, 1000)
    assert send(*change(sent.headers, sent.body)) == 401
    assert send.seen == []


@pytest.mark.parametrize("away", [301, -301])
def test_the_floor_checks_the_age(send: Any, bench: Any, monkeypatch: pytest.MonkeyPatch, away: int) -> None:
    senders = bench("senders")
    now = senders.time.time()
    with monkeypatch.context() as patch:
        patch.setattr(senders.time, "time", lambda: now + away)
        sent = senders.deliver(senders.TIMED, 1000)
    assert send(sent.headers, sent.body) == 401


@pytest.mark.parametrize("size", [200, 1000, 10_000])
def test_a_benchmarks_body_is_json_of_its_size_and_never_the_same(bench: Any, size: int) -> None:
    senders = bench("senders")
    first, second = senders.body_of(size), senders.body_of(size)
    assert len(first) == len(second) == size
    assert json.loads(first)["id"] != json.loads(second)["id"]


def test_a_goal_is_met_on_its_bound_and_not_beyond_it(bench: Any) -> None:
    goal = bench("rounds").Goal
    assert [goal("most", found, 2.0).met for found in (1.9, 2.0, 2.1)] == [True, True, False]
    assert [goal("least", found, 2.0, least=True).met for found in (1.9, 2.0, 2.1)] == [False, True, True]


def test_what_is_added_is_the_difference_of_the_minima_and_the_median_of_the_pairs(bench: Any) -> None:
    timed = bench("rounds").Timed
    more, less = timed([5e-6, 4e-6, 9e-6]), timed([1e-6, 2e-6, 2e-6])
    assert more.added(less) == {"min": 3.0, "median": 4.0}


RAW = {"world": "asgi", "app": "raw", "chunk": 0, "min": 1.5}
FOUND = {
    "in_process": {
        "machine": {"processor": "a processor", "processors": 2, "python": "3.11.7", "date": "2026-11-21", "load": 0.1},
        "rows": [
            {**RAW, "size": size, "variant": name, "added": {"min": more}}
            for size in (1000, 10_000)
            for name, more in {
                "keyed HMAC": 0.5,
                "floor": 4.5,
                "hooklatch": 6.25,
                "hooklatch github": 5.75,
                "gidgethub": 4.125,
                "hand-written": 4.75,
                "<svix>": 14.0,
            }.items()
        ],
        "goals": [
            {"name": "this one", "found": 1.5, "bound": 2.0, "unit": "x", "least": False, "met": True},
            {"name": "that one", "found": 1.5, "bound": 2.0, "unit": "us", "least": True, "met": False},
        ],
    }
}


@pytest.fixture
def made(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """Return the page that is made of ``FOUND``, and the folder of its pictures."""
    page = bench("page")
    monkeypatch.setattr(page, "PICTURES", tmp_path)
    return page.page(FOUND), tmp_path


def test_the_page_says_which_goals_are_met_and_where_peers_are_as_fast(made: tuple[str, Path]) -> None:
    text, _ = made
    assert "| this one | at most 2 x | 1.5 x | met |" in text
    assert "| that one | at least 2 us | 1.5 us | **not met** |" in text
    assert "a processor, 2 cores | 3.11.7 | 2026-11-21 | 0.1" in text
    assert "gidgethub's `validate_event` is one HMAC and one comparison, so it is at the floor: it adds 4.12 us" in text


def test_every_picture_of_the_page_is_there_and_is_xml_that_names_what_it_shows(made: tuple[str, Path]) -> None:
    text, folder = made
    pictures = {line.split("(img/")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")}
    assert pictures == {path.name for path in folder.iterdir()} == {"added-asgi-raw.svg", "size-asgi.svg"}
    for name in pictures:
        root = ET.fromstring((folder / name).read_text("utf-8"))
        assert root.attrib["aria-label"]
        texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
        assert "hooklatch" in texts
    bars = (folder / "added-asgi-raw.svg").read_text("utf-8")
    assert "&lt;svix&gt;" in bars
