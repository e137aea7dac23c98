"""hooklatch.secret_files: a secret in a file is replaced without a restart, and never by half of one."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

import pytest

from hooklatch import ConfigError, Secret
from hooklatch.config import load
from hooklatch.providers import GITHUB, STANDARD_WEBHOOKS
from hooklatch.secret_files import LiveSecrets, SecretFile
from hooklatch.testing import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from worlds import Endpoint

FIRST = "the first secret, long enough"
SECOND = "the second secret, as long as that"


class Disk:
    """A file whose times follow a clock, and somebody who looks at it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "secret"
        self.clock = Clock(1_700_000_000.0)
        self.write(FIRST)

    def write(self, text: str | bytes, at: float | None = None) -> None:
        self.path.write_bytes(text.encode() if isinstance(text, str) else text)
        self.touch(at)

    def touch(self, at: float | None = None) -> None:
        moment = int((self.clock() if at is None else at) * 1e9)
        os.utime(self.path, ns=(moment, moment))

    def opened(self) -> SecretFile:
        return SecretFile(str(self.path), clock=self.clock, monotonic=self.clock)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_a_changed_file_counts_once_it_has_rested(disk: Disk) -> None:
    file = disk.opened()
    disk.clock.advance(10)
    disk.write(SECOND)
    assert file.current().value == FIRST
    disk.clock.advance(1)
    assert file.current().value == SECOND


def test_an_unchanged_file_is_not_read_and_looked_at_once_a_second(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    file = disk.opened()
    looks: list[object] = []
    real = os.stat

    def stat(path: str) -> os.stat_result:
        looks.append(path)
        return real(path)

    monkeypatch.setattr("hooklatch.secret_files.os.stat", stat)
    monkeypatch.setattr("hooklatch.secret_files._read", lambda path: pytest.fail("it was read"))
    first = file.current()
    for _ in range(100):
        disk.clock.advance(0.1)
        assert file.current() is first
    assert len(looks) in range(8, 11)


def test_a_file_that_changed_long_ago_counts_at_the_first_use(disk: Disk) -> None:
    file = disk.opened()
    disk.write(SECOND)
    disk.clock.advance(3600)
    assert file.current().value == SECOND


@pytest.mark.parametrize("bad", ["", "\n", " padded ", b"\xff\xfe", "${UNRESOLVED}", "x" * 70_000], ids=repr)
def test_what_is_no_secret_changes_nothing_and_is_said_once(
    bad: str | bytes, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    file = disk.opened()
    disk.write(bad)
    for _ in range(5):
        disk.clock.advance(2)
        assert file.current().value == FIRST
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "stays in force" in caplog.text
    disk.write(SECOND)
    disk.clock.advance(2)
    assert file.current().value == SECOND
    assert SECOND not in caplog.text


def test_a_file_that_is_being_written_in_pieces_is_not_caught_half_way(disk: Disk) -> None:
    file = disk.opened()
    seen = set()
    for end in range(len(SECOND) + 1):
        disk.write(SECOND[:end])
        disk.clock.advance(0.6)
        seen.add(file.current().value)
    assert seen == {FIRST}
    disk.clock.advance(2)
    assert file.current().value == SECOND


def test_a_file_from_the_future_counts_when_two_looks_agree(disk: Disk) -> None:
    file = disk.opened()
    disk.write(SECOND, at=disk.clock() + 1e6)
    disk.clock.advance(2)
    assert file.current().value == FIRST
    disk.clock.advance(2)
    assert file.current().value == SECOND


def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_look(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hooklatch import secret_files

    file = disk.opened()
    disk.write(SECOND[:10])
    disk.clock.advance(5)
    real = secret_files._read

    def read(path: str) -> object:
        disk.write(SECOND)
        return real(path)

    with monkeypatch.context() as patched:
        patched.setattr(secret_files, "_read", read)
        assert file.current().value == FIRST
    disk.clock.advance(2)
    assert file.current().value == SECOND


def test_a_file_that_is_gone_changes_nothing_and_is_said_once(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    file = disk.opened()
    disk.path.unlink()
    for _ in range(5):
        disk.clock.advance(2)
        assert file.current().value == FIRST
    assert len(caplog.records) == 1
    disk.write(SECOND)
    disk.clock.advance(2)
    assert file.current().value == SECOND


def test_kubernetes_swap_of_a_link_is_noticed(tmp_path: Path) -> None:
    clock = Clock(1_700_000_000.0)
    for version, secret in (("..1", FIRST), ("..2", SECOND)):
        (tmp_path / version).mkdir()
        (tmp_path / version / "secret").write_text(secret)
        # The same time and the same size: only the inode tells them apart.
        os.utime(tmp_path / version / "secret", ns=(10**18, 10**18))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "secret").symlink_to("..data/secret")
    file = SecretFile(str(tmp_path / "secret"), clock=clock, monotonic=clock)
    assert file.current().value == FIRST
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    clock.advance(2)
    assert file.current().value == SECOND


def test_one_line_end_belongs_to_the_file_and_not_to_the_secret(disk: Disk) -> None:
    for end in ("\n", "\r\n"):
        disk.write(FIRST + end)
        assert disk.opened().current().value == FIRST
    disk.write(FIRST + "\n\n")
    with pytest.raises(ConfigError, match="blanks or a line break"):
        disk.opened()


def test_threads_that_look_at_once_agree_in_the_end(disk: Disk) -> None:
    live = LiveSecrets([disk.opened(), Secret(SECOND)])
    disk.write("a third secret, long enough")
    disk.clock.advance(5)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(live.current()[0].value)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) <= {FIRST, "a third secret, long enough"}
    assert [secret.value for secret in live] == ["a third secret, long enough", SECOND]
    assert live.current() is live.current()
    assert (len(live), live[1].value) == (2, SECOND)


def test_a_rotated_file_is_in_force_without_a_restart(
    tmp_path: Path, endpoint: Callable[..., Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "github"
    path.write_text(FIRST)
    monkeypatch.setattr("hooklatch.secret_files.EVERY", 0)
    monkeypatch.setenv("FIXED", "a secret that stays as it is")
    route = {"provider": "github", "secrets": [f"file:{path}", "env:FIXED"]}
    made = endpoint(**load({"routes": {"/hooks": route}}))

    def post(secret: str, body: bytes) -> int:
        return made.post(GITHUB.sign(body, secret=secret, url="/hooks")).status

    assert [post(FIRST, b"1"), post(SECOND, b"2")] == [200, 401]
    path.write_text(SECOND)
    os.utime(path, (1, 1))
    assert [post(FIRST, b"3"), post(SECOND, b"4"), post("a secret that stays as it is", b"5")] == [401, 200, 200]
    assert made.last.key_index == 1


def test_a_changed_secret_that_the_sender_could_not_use_leaves_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "standard"
    good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    path.write_text(good)
    monkeypatch.setattr("hooklatch.secret_files.EVERY", 0)
    chain = load({"routes": {"/a": {"provider": "standard_webhooks", "secrets": f"file:{path}"}}})["routes"]["/a"]
    path.write_text("no base64 at all!")
    os.utime(path, (1, 1))
    delivery = STANDARD_WEBHOOKS.sign(b"{}", secret=good, id="1")
    for _ in range(2):
        assert chain.verify(headers=delivery.headers, body=b"{}").id == "1"
    assert caplog.text.count("cannot be used, the last ones stay in force") == 1
