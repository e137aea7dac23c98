"""Large bodies cost disk, not memory: every byte as it came, for every reader, and nothing left behind."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from hooklatch import body as spooling
from hooklatch.asgi import WebhookMiddleware as ASGIWebhookMiddleware
from hooklatch.providers import GITHUB
from hooklatch.testing import Answered, call_asgi, call_wsgi
from hooklatch.types import Delivery, Webhook
from hooklatch.wsgi import WebhookMiddleware as WSGIWebhookMiddleware
from server_apps import LARGE, Server, wire

SECRET = "a secret for large bodies"
HOOK = "/hooks/github"
THRESHOLD = 1 << 16
SIZE = 8 << 20
PIECE = 100_003
"""Arrives in pieces of no round number."""

Read = Callable[[], bytes]
Handler = Callable[[Webhook, Read], None]


def large(size: int = SIZE, seed: int = 1) -> Delivery:
    return GITHUB.sign(Random(seed).randbytes(size), secret=SECRET, url=HOOK)


class Site:
    """An application in either world that does what *handler* does with the verdict and a reader of the stream."""

    def __init__(self, world: str, handler: Handler, **settings: Any) -> None:
        settings = {"spool_threshold": THRESHOLD, **settings}
        max_body = settings.pop("max_body", 2 * SIZE)
        settings["routes"] = {HOOK: GITHUB.chain(SECRET, max_body=max_body)}
        self.world = world
        self.handler = handler
        door = WSGIWebhookMiddleware if world == "wsgi" else ASGIWebhookMiddleware
        self.app: Any = door(self._wsgi if world == "wsgi" else self._asgi, **settings)  # type: ignore[arg-type]
        self.webhooks: list[Webhook] = []

    def _wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        source = environ["wsgi.input"]
        self.webhooks.append(environ["hooklatch.webhook"])
        self.handler(self.webhooks[-1], lambda: bytes(source.read(PIECE)))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        self.webhooks.append(scope["state"]["webhook"])
        more = True

        async def next_piece() -> bytes:
            nonlocal more
            if not more:
                return b""
            message = await receive()
            assert message["type"] == "http.request"
            more = message["more_body"]
            piece: bytes = message["body"]
            return piece

        # The handler is synchronous in both worlds: in a thread, it may ask the loop for the next piece.
        await anyio.to_thread.run_sync(self.handler, self.webhooks[-1], lambda: anyio.from_thread.run(next_piece))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok", "more_body": False})

    def post(self, delivery: Delivery) -> Answered:
        if self.world == "wsgi":
            return call_wsgi(self.app, delivery)
        pieces = [delivery.body[start : start + PIECE] for start in range(0, len(delivery.body), PIECE)]
        events: list[Any] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        events.append({"type": "http.request"})

        async def once() -> Answered:
            with anyio.fail_after(60):
                return await call_asgi(self.app, delivery, events=events)

        return anyio.run(once, backend=self.world)


def digest(read: Read) -> str:
    """Return the SHA-256 of what *read* gives."""
    running = hashlib.sha256()
    while piece := read():
        running.update(piece)
    return running.hexdigest()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def nothing(webhook: Webhook, read: Read) -> None:
    """Stand in for an application that does not look at the body."""


def test_the_stream_gives_every_byte(world: str) -> None:
    seen: list[str] = []

    def handler(webhook: Webhook, read: Read) -> None:
        assert isinstance(webhook.captured, spooling.Body)
        assert webhook.captured.on_disk
        seen.append(digest(read))

    site = Site(world, handler)
    delivery = large()
    assert site.post(delivery).status == 200
    assert seen == [sha256(delivery.body)]
    assert site.app.spool.used == 0


@pytest.mark.parametrize("size", [0, 1, THRESHOLD - 1, THRESHOLD, THRESHOLD + 1, 4 * THRESHOLD])
def test_body_and_open_give_every_byte_on_either_side_of_the_threshold(world: str, size: int) -> None:
    delivery = large(size)
    seen: list[bytes] = []

    def handler(webhook: Webhook, read: Read) -> None:
        with webhook.open() as file:
            seen.extend([webhook.body, file.read(), webhook.open().read(), webhook.body])

    assert Site(world, handler).post(delivery).status == 200
    assert seen == [delivery.body] * 4


def test_body_and_open_give_every_byte_of_eight_megabytes(world: str) -> None:
    delivery = large()
    seen: list[str] = []

    def handler(webhook: Webhook, read: Read) -> None:
        with webhook.open() as file:
            seen.extend([sha256(webhook.body), digest(lambda: file.read(PIECE))])

    assert Site(world, handler).post(delivery).status == 200
    assert seen == [sha256(delivery.body)] * 2


def test_readers_do_not_disturb_each_other(world: str) -> None:
    delivery = large()
    seen: list[object] = []

    def handler(webhook: Webhook, read: Read) -> None:
        first, second = webhook.open(), webhook.open()
        seen.extend([first.read(10), second.seek(SIZE // 2), second.read(10), first.read(10), first.tell()])
        first.close()
        seen.append(digest(read))
        seen.extend([second.seek(-10, os.SEEK_END), second.read(), second.read()])

    assert Site(world, handler).post(delivery).status == 200
    body, half = delivery.body, SIZE // 2
    assert seen[:5] == [body[:10], half, body[half : half + 10], body[10:20], 20]
    assert seen[5] == sha256(body)
    assert seen[6:] == [SIZE - 10, body[-10:], b""]


def test_a_file_read_in_part_leaves_the_stream_whole(world: str) -> None:
    delivery = large()
    seen: list[str] = []

    def handler(webhook: Webhook, read: Read) -> None:
        assert webhook.open().read(10) == delivery.body[:10]
        first = read()
        assert webhook.open().read(PIECE + 7) == delivery.body[: PIECE + 7]
        seen.append(sha256(first + b"".join(iter(read, b""))))

    assert Site(world, handler).post(delivery).status == 200
    assert seen == [sha256(delivery.body)]


def test_after_the_answer_the_bytes_are_gone_and_their_place_is_free(world: str) -> None:
    files: list[BinaryIO] = []
    site = Site(world, lambda webhook, read: files.append(webhook.open()))
    descriptors = open_files()
    assert site.post(large()).status == 200
    with pytest.raises(ValueError, match="gone"):
        _ = site.webhooks[-1].body
    for file in (files[0], site.webhooks[-1].open()):
        with pytest.raises(ValueError, match="gone"):
            file.read(1)
    assert site.app.spool.used == 0
    assert open_files() == descriptors


def open_files() -> set[str]:
    """Return what this process has open that no folder lists."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.endswith("(deleted)"):
            found.add(target)
    return found


def fail(webhook: Webhook, read: Read) -> None:
    read()
    raise ZeroDivisionError


def test_an_application_that_fails_leaves_nothing_behind(world: str) -> None:
    site = Site(world, fail)
    descriptors = open_files()
    with pytest.raises(ZeroDivisionError):
        site.post(large())
    assert site.app.spool.used == 0
    assert open_files() == descriptors


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many bytes each write to a spool has taken, as they happen."""
    sizes: list[int] = []
    write = spooling._write_all

    def counting(file: Any, piece: bytes) -> None:
        sizes.append(len(piece))
        write(file, piece)

    monkeypatch.setattr(spooling, "_write_all", counting)
    return sizes


def test_beyond_the_quota_nothing_is_written_and_the_sender_is_asked_to_wait(world: str, written: list[int]) -> None:
    quota = SIZE // 4
    site = Site(world, nothing, max_spool=quota)
    for _ in range(3):
        written.clear()
        answered = site.post(large())
        assert (answered.status, bool(answered.header("retry-after"))) == (503, True)
        assert 0 < sum(written) <= quota
        assert site.app.spool.used == 0
    assert site.webhooks == []
    assert site.post(large(quota)).status == 200


def test_deliveries_share_the_quota_while_they_last(world: str) -> None:
    size = SIZE // 4
    inner: list[int] = []

    def handler(webhook: Webhook, read: Read) -> None:
        if not inner:
            inner.append(0)
            assert site.app.spool.used == size
            inner.append(site.post(large(size, seed=2)).status)

    site = Site(world, handler, max_spool=size + size // 2)
    assert site.post(large(size, seed=1)).status == 200
    assert inner == [0, 503]
    assert site.post(large(size, seed=2)).status == 200


def test_a_full_disk_is_ours_to_say_and_leaves_nothing_behind(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Any, piece: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    site = Site(world, nothing)
    monkeypatch.setattr(spooling, "_write_all", full)
    assert site.post(large()).status == 503
    assert site.app.spool.used == 0
    monkeypatch.undo()
    assert site.post(large()).status == 200


def test_a_forged_body_leaves_nothing_behind(world: str) -> None:
    site = Site(world, nothing)
    genuine = large()
    descriptors = open_files()
    answered = site.post(genuine._replace(body=genuine.body[:-1] + bytes([genuine.body[-1] ^ 1])))
    assert (answered.status, site.webhooks, site.app.spool.used) == (401, [], 0)
    assert open_files() == descriptors


class Unread:
    def read(self, size: int = -1) -> bytes:
        message = "the body was read"
        raise AssertionError(message)


GIGABYTE = str(1 << 30)


@pytest.mark.parametrize(
    ("headers", "limit", "status"),
    [
        ([], 2 << 30, 401),
        ([("X-Hub-Signature-256", "sha256=" + "6" * 63)], 2 << 30, 401),
        ([("X-Hub-Signature-256", "sha256=" + "6" * 64)], 25 << 20, 413),
    ],
    ids=["unsigned", "malformed", "too large"],
)
def test_a_gigabyte_that_cannot_be_right_is_refused_without_a_read(
    world: str, headers: list[tuple[str, str]], limit: int, status: int
) -> None:
    site = Site(world, nothing, max_body=limit)
    if world == "wsgi":
        request = ("POST", HOOK, headers, b"")
        answered = call_wsgi(site.app, request, CONTENT_LENGTH=GIGABYTE, wsgi__input=Unread())
    else:

        async def once() -> Answered:
            with anyio.fail_after(5):  # nothing comes: call_asgi would wait for ever
                return await call_asgi(
                    site.app, ("POST", HOOK, [*headers, ("Content-Length", GIGABYTE)], b""), events=[]
                )

        answered = anyio.run(once, backend=world)
    assert answered.status == status
    assert site.webhooks == []


@pytest.mark.parametrize("name", ["uvicorn-httptools", "gunicorn-gthread"])
def test_after_kill_9_in_the_middle_of_an_upload_the_folder_is_empty(name: str, tmp_path: Path) -> None:
    pytest.importorskip(name.partition("-")[0])
    folder = tmp_path / "spool"
    folder.mkdir()
    with Server(name, TMPDIR=str(folder)) as server:
        process = server.report().process
        with server.connect() as line:
            headers = [("X-Hub-Signature-256", "sha256=" + "6" * 64), ("Content-Length", str(SIZE))]
            line.sendall(wire("POST", LARGE, headers, bytes(SIZE // 2), length=False))
            deadline = time.monotonic() + 20
            while spooled(process, folder) < SIZE // 4:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert list(folder.iterdir()) == []
            server.stop()
    assert list(folder.iterdir()) == []


def spooled(process: int, folder: Path) -> int:
    """Return the size of the largest file below *folder* that *process* has open."""
    sizes = [0]
    for entry in Path(f"/proc/{process}/fd").iterdir():
        try:
            if str(entry.readlink()).startswith(str(folder)):
                sizes.append(entry.stat().st_size)
        except OSError:
            continue
    return max(sizes)
