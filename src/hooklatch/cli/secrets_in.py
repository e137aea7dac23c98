"""Where the command line's secrets come from: the environment or files, never an argument, which every process sees."""

from __future__ import annotations

import argparse
import itertools
import os
from typing import TYPE_CHECKING, Final, NoReturn

from hooklatch.cli import UsageError, read
from hooklatch.errors import ConfigError
from hooklatch.secret_files import secret_text, without_line_end
from hooklatch.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIABLE: Final = "HOOKLATCH_SECRET"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--secret-file`` to *parser*, and a ``--secret`` that says why there is none."""
    parser.add_argument(
        "--secret-file",
        action="append",
        default=[],
        metavar="FILE",
        help=f"a file that holds one secret; repeat it, newest first. Without it: ${VARIABLE}, ${VARIABLE}_1, _2, ...",
    )
    parser.add_argument("--secret", action=_Refused, nargs="?", help=argparse.SUPPRESS)


def find(files: Sequence[str], environment: Mapping[str, str] | None = None) -> list[Secret]:
    """Return the secrets in *files*, or else in the *environment*, newest first; raise ``UsageError``."""
    if files:
        return [_secret(without_line_end(read(path)), path) for path in files]
    known = os.environ if environment is None else environment
    numbered = (f"{VARIABLE}_{number}" for number in itertools.count(1))
    names = [*({VARIABLE} & known.keys()), *itertools.takewhile(known.__contains__, numbered)]
    if not names:
        msg = f"no secret: set {VARIABLE} in the environment, or name a file that holds it with --secret-file FILE"
        raise UsageError(msg)
    return [_secret(os.fsencode(known[name]), name) for name in names]


def private_key(files: Sequence[str]) -> bytes:
    """Return what the first of *files* holds; raise ``UsageError`` where there is none."""
    if not files:
        msg = "this sender signs with a private key: name a file that holds one as PEM with --secret-file FILE"
        raise UsageError(msg)
    return read(files[0])


def public_keys(files: Sequence[str]) -> list[str] | None:
    """Return the texts of the public keys in *files*, None where there are none; raise ``UsageError``."""
    found = []
    for path in files:
        try:
            found.append(read(path).decode("utf-8"))
        except UnicodeDecodeError as bad:
            msg = f"{path}: a public key is text, and this is not; write it as PEM or base64"
            raise UsageError(msg) from bad
    return found or None


def _secret(raw: bytes, source: str) -> Secret:
    try:
        return Secret(secret_text(raw))
    except ConfigError as bad:
        msg = f"{source}: {bad}"
        raise UsageError(msg) from bad


class _Refused(argparse.Action):
    def __call__(self, *_: object) -> NoReturn:
        """Raise ``UsageError`` without repeating the value."""
        msg = f"a secret is never an argument, which other processes can read; set {VARIABLE}, or use --secret-file"
        raise UsageError(msg)
