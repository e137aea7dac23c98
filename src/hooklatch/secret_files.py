"""Secrets in files that change while the process runs: what Docker, Kubernetes or a vault's agent mounts.

A file is looked at when a request needs its secret, and at most once a second. A new one counts when it has rested for
a second, so that a writer who empties the file first, or writes it in pieces, is not caught half way; one that is
missing, empty or unusable changes nothing and is logged. Kubernetes swaps a symbolic link: the file at its end is
compared, by device, inode, time and size.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, overload

from hooklatch.errors import ConfigError
from hooklatch.secrets import Ring, Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooklatch.types import ActiveKey, Key

logger: Final = logging.getLogger("hooklatch")

EVERY: Final = 1.0
"""Seconds between two looks at a file."""

REST: Final = 1.0
"""Seconds for which a changed file must have rested, by its own time."""

LONGEST: Final = 1 << 16
"""Bytes of a file that is a secret."""


class _Stamp(NamedTuple):
    device: int
    inode: int
    modified: int
    """Unix nanoseconds."""
    size: int


class SecretFile:
    """One secret in a file."""

    def __init__(
        self,
        path: str,
        make: Callable[[str], Secret] = Secret,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """*make*: turns the file's text into a secret; raise ``ConfigError`` if the file holds none."""
        self._path = path
        self._make = make
        self._clock = clock
        self._monotonic = monotonic
        try:
            self._stamp, text = _read(path)
        except OSError as bad:
            msg = f"{path} cannot be read ({bad.strerror}); mount it before the start"
            raise ConfigError(msg) from bad
        self._secret = make(text)
        self._looked = monotonic()
        self._restless: _Stamp | None = None
        self._unreadable = False

    def current(self) -> Secret:
        """Return the secret: the same object until the file holds another usable one."""
        now = self._monotonic()
        if now - self._looked >= EVERY:
            self._looked = now
            try:
                self._look()
                self._unreadable = False
            except OSError as bad:
                if not self._unreadable:
                    self._unreadable = True
                    logger.error("%s cannot be read (%s); its last secret stays in force", self._path, bad.strerror)  # noqa: TRY400
        return self._secret

    def _look(self) -> None:
        stamp = _stamp(os.stat(self._path))  # noqa: PTH116 - a look costs little, and a Path would double it
        if stamp == self._stamp:
            return
        # By the file's own time, or seen alike at two looks: the clocks of a network's file system may differ.
        if self._clock() - stamp.modified / 1e9 < REST and stamp != self._restless:
            self._restless = stamp
            return
        try:
            read, text = _read(self._path)
            if read == stamp:
                self._stamp = stamp
                self._secret = self._make(text)
                logger.info("%s has changed; its new secret is in force", self._path)
        except ConfigError as bad:
            # Remembered all the same, so that it is said once.
            self._stamp = stamp
            logger.error("%s has changed, but %s; its last secret stays in force", self._path, bad)  # noqa: TRY400


class LiveSecrets(Sequence[Secret]):
    """One party's secrets, newest first, some of which stand in files."""

    def __init__(self, parts: Sequence[Secret | SecretFile]) -> None:
        """*parts*: secrets, and files that hold one."""
        self._parts = tuple(parts)
        self._found = tuple(_current(part) for part in self._parts)

    @overload
    def __getitem__(self, place: int) -> Secret: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Secret]: ...
    def __getitem__(self, place: int | slice) -> Secret | Sequence[Secret]:
        """Return one of the secrets as they are now."""
        return self.current()[place]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._parts)

    def current(self) -> tuple[Secret, ...]:
        """Return the secrets as they are now: the same tuple until one changes."""
        known = self._found
        for part, last in zip(self._parts, known, strict=True):
            if _current(part) is not last:
                self._found = tuple(_current(part) for part in self._parts)
                return self._found
        return known


class LiveRing(Ring):
    """The keys of one party, made anew when its secrets change."""

    __slots__ = ("_decode", "_live", "_make", "_seen")

    def __init__(self, live: LiveSecrets, make: Callable[[bytes], Key], decode: str) -> None:
        """As for ``Ring``; raise ``ConfigError``."""
        self._live = live
        self._make = make
        self._decode = decode
        self._seen = live.current()
        super().__init__(self._seen, make, decode)

    def active(self, now: float, /) -> tuple[ActiveKey, ...]:
        """Return the keys in force at unix time *now*; raise ``SecretUnavailable`` if there is none."""
        secrets = self._live.current()
        if secrets is not self._seen:
            self._seen = secrets
            try:
                fresh = Ring(secrets, self._make, self._decode)
                self.entries, self.tests = fresh.entries, fresh.tests
                self._always = fresh._always  # noqa: SLF001 - its own kind
            except ConfigError as bad:
                logger.error("the changed secrets cannot be used, the last ones stay in force: %s", bad)  # noqa: TRY400
        return super().active(now)


def secret_text(raw: bytes) -> str:
    """Return the text that *raw* bytes of a file or the environment are; raise ``ConfigError``."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as bad:
        msg = "a secret is UTF-8 text, and this is not"
        raise ConfigError(msg) from bad
    if text.startswith("\ufeff"):
        msg = "it begins with a byte order mark, which would become a part of the secret; remove it"
        raise ConfigError(msg)
    return text


def without_line_end(raw: bytes) -> bytes:
    """Return *raw* without the one line end that editors and ``echo`` put behind a secret."""
    return raw[:-2] if raw.endswith(b"\r\n") else raw.removesuffix(b"\n")


def _current(part: Secret | SecretFile) -> Secret:
    return part.current() if isinstance(part, SecretFile) else part


def _read(path: str) -> tuple[_Stamp, str]:
    """Return a file's stamp and text; raise ``OSError``, or ``ConfigError`` for what is no text of a secret."""
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        raw = file.read(LONGEST + 1)
        stamp = _stamp(os.fstat(file.fileno()))
    if len(raw) > LONGEST:
        msg = f"it holds more than {LONGEST} bytes, which is no secret"
        raise ConfigError(msg)
    return stamp, secret_text(without_line_end(raw))


def _stamp(found: os.stat_result) -> _Stamp:
    return _Stamp(found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
