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
    """The bytes of one request, written once, read as often as wanted, until ``close``."""

    __slots__ = ("_file", "_gone", "_pieces", "_spool", "_spooled", "size")

    def __init__(self, spool: Spool) -> None:
        """Hold up to ``spool.threshold`` bytes in memory."""
        self.size = 0
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._gone = False
        self._spool = spool
        self._spooled = 0

    @property
    def on_disk(self) -> bool:
        """Whether the bytes have left memory."""
        return self._file is not None

    def spills(self, chunk: bytes) -> bool:
        """Return whether ``write(chunk)`` would touch the disk, so that an event loop can use a thread."""
        return self._file is not None or self.size + len(chunk) > self._spool.threshold

    def write(self, chunk: bytes) -> None:
        """Append *chunk*; raise ``StoreUnavailable`` when the disk or the quota is full."""
        if not self.spills(chunk):
            self._pieces.append(chunk)
            self.size += len(chunk)
            return
        pending = [*self._pieces, chunk]
        needed = sum(map(len, pending))
        self._spool.take(needed)
        self._spooled += needed
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by close()
            for piece in pending:
                _write_all(self._file, piece)
        except OSError as bad:
            msg = f"the body could not be written to the spool: {bad.strerror}"
            raise StoreUnavailable(msg) from bad
        self._pieces = []
        self.size += len(chunk)

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
