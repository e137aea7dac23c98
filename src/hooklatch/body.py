"""The captured bytes of one request: in memory while small, in an unlinked temporary file beyond the spool's threshold.

The door owns the ``Body``; the flow never sees it. Readers take the bytes with ``pread`` at offsets of their own, so
that the application's reading and ``webhook.open()`` cannot disturb each other, and no reader can be handed other
bytes than those that were hashed.
"""

from __future__ import annotations

import io
import os
import tempfile
import threading
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from hooklatch.errors import ConfigError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

PIECE = 1 << 16
"""Bytes that are read at a time."""

BATCH = 1 << 20
"""Bytes that go to the disk at a time: an event loop hands each batch to a thread, and that is what costs."""


class Spool:
    """How much of a body stays in memory, and how much all bodies together may take on disk (bytes)."""

    def __init__(self, threshold: int = 1 << 20, quota: int = 1 << 30) -> None:
        """*threshold*: bytes of one body held in memory; *quota*: bytes of all spooled bodies of this process."""
        if threshold < 0 or quota < 0:
            msg = "spool_threshold and max_spool are numbers of bytes and cannot be negative"
            raise ConfigError(msg)
        self.threshold = threshold
        self.quota = quota
        self.used = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Reserve *size* bytes on disk; raise ``StoreUnavailable`` when the quota is used up."""
        with self._lock:
            if self.used + size > self.quota:
                msg = "the spool's quota (max_spool) is used up"
                raise StoreUnavailable(msg)
            self.used += size

    def give(self, size: int) -> None:
        """Return *size* reserved bytes."""
        with self._lock:
            self.used -= size


class Body:
    """The bytes of one request, written once, sealed, then read as often as wanted, until ``close``."""

    _file: IO[bytes] | None = None
    _gone = False
    _spooled = 0

    def __init__(self, spool: Spool, whole: bytes = b"") -> None:
        """Hold up to ``spool.threshold`` bytes in memory. *whole*: all of a body that is no larger."""
        self._spool = spool
        self._pieces = [whole] if whole else []
        self.size = len(whole)
        self._limit = spool.threshold
        """How large the body may become before pieces must go to the disk (bytes)."""

    @property
    def on_disk(self) -> bool:
        """Whether the bytes have left memory."""
        return self._file is not None

    @property
    def full(self) -> bool:
        """Whether memory holds as much as it may, so that ``spill`` is due; an event loop leaves that to a thread."""
        return self.size > self._limit

    def write(self, chunk: bytes) -> None:
        """Append *chunk*; raise ``StoreUnavailable`` when the disk or the quota is full."""
        self._pieces.append(chunk)
        self.size += len(chunk)
        if self.size > self._limit:
            self.spill()

    def hold(self, chunk: bytes) -> None:
        """Append *chunk* in memory."""
        self._pieces.append(chunk)
        self.size += len(chunk)

    def spill(self) -> None:
        """Move what memory holds to the disk; raise ``StoreUnavailable`` when that or the quota is full."""
        needed = self.size - self._spooled
        self._spool.take(needed)
        self._spooled += needed
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by close()
            for piece in self._pieces:
                _write_all(self._file, piece)
        except OSError as bad:
            msg = f"the body could not be written to the spool: {bad.strerror}"
            raise StoreUnavailable(msg) from bad
        self._pieces = []
        self._limit = self.size + BATCH

    @property
    def sealed(self) -> bool:
        """Whether the bytes can be read: all of them are in memory, or all on the disk."""
        return self._file is None or not self._pieces

    def seal(self) -> None:
        """End the writing; raise ``StoreUnavailable`` as ``spill`` does."""
        if self._file is not None and self._pieces:
            self.spill()

    def whole(self) -> bytes:
        """Return all bytes as one object; a body in memory is joined once and then held in one piece."""
        if self._file is not None or self._gone:
            return b"".join(self.chunks())
        if len(self._pieces) != 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0]

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes: the pieces in memory as they came, a file in pieces of 64 KiB."""
        if self._file is None and not self._gone:
            yield from self._pieces
            return
        offset = 0
        while piece := self.at(offset, PIECE):
            offset += len(piece)
            yield piece

    def at(self, offset: int, size: int) -> bytes:
        """Return up to *size* bytes of a spooled body from *offset*; raise ``ValueError`` after ``close``."""
        if self._file is None:
            msg = "this delivery's body is gone: it lives until the response is finished"
            raise ValueError(msg)
        return os.pread(self._file.fileno(), size, offset)

    def open(self) -> BinaryIO:
        """Return a new binary file over the bytes, positioned at their start."""
        if self._file is None and not self._gone:
            return io.BytesIO(self.whole())
        return cast("BinaryIO", io.BufferedReader(_Reader(self), PIECE))

    def close(self) -> None:
        """Remove the temporary file, if there is one; a body in memory stays readable."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._gone = True
        if self._spooled:
            self._spool.give(self._spooled)
            self._spooled = 0


class _Reader(io.RawIOBase):
    """A file of its own offset over a spooled body."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._offset = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._body.size}[whence]
        self._offset = max(0, origin + offset)
        return self._offset

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._body.at(self._offset, len(view))
        view[: len(piece)] = piece
        self._offset += len(piece)
        return len(piece)


def _write_all(file: IO[bytes], piece: bytes) -> None:
    """Write *piece* whole: an unbuffered file may take less than it was given."""
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]
