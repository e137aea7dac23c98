"""One behaviour, every framework: what a handler gets, what it never sees, when a claim is given back, who is let in.

A framework is one file in ``framework_apps/``; ``framework_record`` says what it must offer.
"""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from framework_record import Build, Post, Record
from hooklatch import ConfigError, Delivery, Secret
from hooklatch.providers import GITHUB

SECRET = "one secret, long enough"
TEST_SECRET = "another one, for the sender's test button"

# Spaces and the newline would not survive a parser and its writer.
JSON = b'{"ref":  "refs/heads/main", "n": 12}\n'
FORM = b"payload=%7B%22ref%22%3A%22main%22%7D&n=1&n=2"
MULTIPART = (
    b'--cut\r\nContent-Disposition: form-data; name="title"\r\n\r\nreport\r\n'
    b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\x00\xff\r\n\x01\r\n--cut--\r\n"
)
RAW = b"\x00\xff\r\n%2B&=\x80"
BODIES = {
    "json": (JSON, "application/json"),
    "form": (FORM, "application/x-www-form-urlencoded"),
    "multipart": (MULTIPART, "multipart/form-data; boundary=cut"),
    "raw": (RAW, "application/octet-stream"),
}
PARSED = {
    "json": {"ref": "refs/heads/main", "n": 12},
    "form": {"payload": ['{"ref":"main"}'], "n": ["1", "2"]},
    "multipart": ["report", "a.bin", b"\x00\xff\r\n\x01".hex()],
}


def adapters() -> Iterator[ModuleType]:
    # What frameworks warn of while they are imported is their own affair (pkg_resources, RefResolver ...).
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted((Path(__file__).parent / "framework_apps").glob("*.py")):
            yield importlib.import_module(f"framework_apps.{path.stem}")


ADAPTERS = list(adapters())
BUILDS: dict[str, Build] = {name: build for adapter in ADAPTERS for name, build in adapter.BUILDS.items()}
WHOLE = {name for adapter in ADAPTERS for name in getattr(adapter, "WHOLE", ())}


# Sanic imports it when it starts.
pytestmark = [
    pytest.mark.usefixtures("left_open"),
    pytest.mark.filterwarnings("ignore:websockets.legacy is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class App:
    """One framework's application behind its latch."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.name = name
        self.record = Record()
        chain = GITHUB.chain([SECRET, Secret(TEST_SECRET, test=True)], test_agents=["Button/*"], on_test="mark")
        self.post: Post = BUILDS[name](
            self.record, **{"routes": {"/hooks/*": chain}, "protect": ["/hooks/*"], **settings}
        )


@pytest.fixture(params=BUILDS)
def make(request: pytest.FixtureRequest) -> Iterator[Callable[..., App]]:
    """Return a factory of applications in one framework: ``make(**settings)``."""
    with ExitStack() as closing:

        def made(**settings: Any) -> App:
            app = App(request.param, **settings)
            closing.push(app.record.closing)
            return app

        yield made


@pytest.fixture
def app(make: Callable[..., App]) -> App:
    return make()


def signed(path: str, body: bytes = JSON, kind: str = "application/json", secret: str = SECRET) -> Delivery:
    headers = {"content-type": kind}
    if secret == TEST_SECRET:
        headers["user-agent"] = "Button/1"
    return GITHUB.sign(body, secret=secret, url=path, headers=headers)


@pytest.mark.parametrize("shape", BODIES)
def test_a_handler_finds_the_exact_bytes_whatever_they_are(app: App, shape: str) -> None:
    answer = app.post(signed("/hooks/raw", *BODIES[shape]))
    assert (answer.status, answer.body) == (200, BODIES[shape][0])


@pytest.mark.parametrize("shape", PARSED)
def test_the_framework_parses_the_body_as_ever(app: App, shape: str) -> None:
    answer = app.post(signed(f"/hooks/{shape}", *BODIES[shape]))
    assert answer.status == 200
    assert json.loads(answer.body) == PARSED[shape]


@pytest.mark.parametrize("shape", PARSED)
def test_the_verdict_keeps_the_proven_bytes_after_parsing(app: App, shape: str) -> None:
    app.post(signed(f"/hooks/{shape}", *BODIES[shape]))
    assert app.record.webhooks[0].body == BODIES[shape][0]


def test_get_webhook_understands_the_framework_s_own_request(app: App) -> None:
    app.post(signed("/hooks/work"))
    webhook = app.record.webhooks[0]
    found = (webhook.provider, webhook.route, webhook.method, webhook.path, webhook.duplicates)
    assert found == ("github", "/hooks/*", "POST", "/hooks/work", "checked")


def test_a_body_that_went_through_the_disk_is_the_same(make: Callable[..., App]) -> None:
    app = make(spool_threshold=0)
    assert app.post(signed("/hooks/raw", RAW, "application/octet-stream")).body == RAW
    answer = app.post(signed("/hooks/multipart", *BODIES["multipart"]))
    assert json.loads(answer.body) == PARSED["multipart"]


def test_what_is_not_signed_never_reaches_a_handler(app: App) -> None:
    genuine = signed("/hooks/raw")
    forged = genuine._replace(body=JSON + b" ")
    bare = genuine._replace(headers={"content-type": "application/json"})
    for request in (forged, bare):
        answer = app.post(request)
        assert (answer.status, answer.header("content-type")) == (401, "application/problem+json")
        assert answer.header("cache-control") == "no-store"
        assert answer.header("www-authenticate") == 'Webhook-Signature realm="webhook"'
        assert json.loads(answer.body) == {"title": "Unauthorized", "status": 401}
    assert app.record.runs == 0


def test_a_form_that_was_altered_is_refused_before_it_is_parsed(app: App) -> None:
    genuine = signed("/hooks/multipart", *BODIES["multipart"])
    assert app.post(genuine._replace(body=b"--cut\r\nno form at all")).status == 401
    assert app.record.runs == 0


def test_a_processed_delivery_is_acknowledged_and_not_run_again(app: App) -> None:
    first, second = app.post(signed("/hooks/work")), app.post(signed("/hooks/work"))
    assert (first.status, first.header("hooklatch-duplicate")) == (204, None)
    assert second.status == 200
    assert second.header("hooklatch-duplicate")
    assert app.record.runs == 1


def test_a_handler_that_raises_gives_its_claim_back(app: App) -> None:
    app.record.statuses = [0]
    assert [app.post(signed("/hooks/work")).status for _ in range(3)] == [500, 204, 200]
    assert app.record.runs == 2


def test_an_answer_other_than_2xx_gives_the_claim_back(app: App) -> None:
    app.record.statuses = [503, 404]
    assert [app.post(signed("/hooks/work")).status for _ in range(4)] == [503, 404, 204, 200]


def test_a_streamed_answer_arrives_whole_and_commits(app: App) -> None:
    answer = app.post(signed("/hooks/stream"))
    assert (answer.status, answer.body) == (200, b"one two three")
    assert app.post(signed("/hooks/stream")).header("hooklatch-duplicate")
    assert app.record.runs == 1


def test_a_stream_that_breaks_off_gives_its_claim_back(app: App) -> None:
    if app.name in WHOLE:
        pytest.skip("here a broken stream may look like a whole one")
    app.record.breaks = 1
    assert app.post(signed("/hooks/stream")).body != b"one two three"
    assert app.post(signed("/hooks/stream")).body == b"one two three"
    assert app.record.runs == 2


def refused(app: App, request: Delivery) -> bool:
    """Return whether the second lock refused *request*, as it should."""
    answer = app.post(request)
    lines = (answer.header("www-authenticate"), answer.header("cache-control"))
    return answer.status == 401 and lines == ('Webhook-Signature realm="webhook"', "no-store") and not app.record.runs


def test_the_second_lock_opens_for_its_own_sender(app: App) -> None:
    answer = app.post(signed("/hooks/github"))
    assert (answer.status, json.loads(answer.body)) == (200, ["github", False])


def test_the_second_lock_refuses_where_no_route_has_judged(app: App) -> None:
    assert refused(app, signed("/elsewhere/github"))


def test_the_second_lock_refuses_another_sender_and_the_claim_is_given_back(app: App) -> None:
    # A claim that was kept would answer the second one with 409, a committed one with 200.
    assert [refused(app, signed("/hooks/stripe")) for _ in range(2)] == [True, True]


def test_the_second_lock_refuses_marked_test_traffic_unless_told_otherwise(app: App) -> None:
    assert refused(app, signed("/hooks/github", secret=TEST_SECRET))
    answer = app.post(signed("/hooks/open", secret=TEST_SECRET))
    assert (answer.status, json.loads(answer.body)) == (200, ["github", True])


def test_what_no_route_names_passes_untouched(app: App) -> None:
    request = signed("/elsewhere/raw", RAW, "application/octet-stream")._replace(
        headers={"content-type": "application/octet-stream"}
    )
    answer = app.post(request)
    assert (answer.status // 100, answer.body) == (2, RAW)


def test_below_protect_nothing_is_reached_without_a_route(make: Callable[..., App]) -> None:
    app = make(routes={"/hooks/github": GITHUB.chain(SECRET)})
    assert app.post(signed("/hooks/work")).status == 401
    assert app.record.runs == 0
    assert app.post(signed("/hooks/github")).status == 200


MODULES = ["aiohttp", "bottle", "falcon", "fastapi", "flask", "litestar", "pyramid", "quart", "sanic"]


@pytest.mark.parametrize("name", [name for name in MODULES if name != "pyramid"])
@pytest.mark.parametrize("nobody", [None, 7, len])
def test_a_second_lock_without_a_sender_is_a_mistake_that_shows_at_start_up(name: str, nobody: Any) -> None:
    verified = importlib.import_module(f"hooklatch.{name}").verified
    with pytest.raises(ConfigError, match=r"takes the provider a handler is written for"):
        verified(nobody)


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_sorted_and_there(name: str) -> None:
    module = importlib.import_module(f"hooklatch.{name}")
    assert module.__all__ == sorted(module.__all__, key=lambda name: (not name.isupper(), name))
    assert all(hasattr(module, name) for name in module.__all__)
