"""The command line. Exit status: 0 good, 1 refused (``verify``), 2 unusable input, said in one line on stderr.

Every subcommand is a module of its name with ``add_arguments(parser)`` and ``run(arguments) -> int``, imported only
when it is called.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from hooklatch.errors import HooklatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = {
    "providers": "list the known senders, or tell how one of them signs",
    "sign": "make the delivery that a sender would make of a body",
    "verify": "judge a recorded request as the middleware would",
    "check": "tell whether a configuration file can be used, and what its routes do",
    "store": "look into a duplicate memory, let one delivery through again, clear what has expired",
    "demo": "send genuine and hostile deliveries to real servers and show what became of them",
}

UNUSABLE: Final = 2
BROKEN_PIPE: Final = 141
"""What a shell reports for a program that ended because nobody read its output."""
INTERRUPTED: Final = 130

LONGEST_LINE: Final = 2000


class UsageError(HooklatchError, ValueError):
    """What was given on the command line, or in a file it names, cannot be used."""


class Parser(argparse.ArgumentParser):
    """Reports a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise ``UsageError`` instead of printing the usage and ending the process."""
        raise UsageError(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line *argv* (without the program's name, ``sys.argv`` by default) and return the exit status."""
    try:
        status = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except HooklatchError as bad:
        complain(bad)
    except BrokenPipeError:
        _drop_output()
        return BROKEN_PIPE
    except OSError as bad:
        complain(bad.strerror or bad)
        try:
            sys.stdout.flush()
        except OSError:
            _drop_output()
    except KeyboardInterrupt:
        return INTERRUPTED
    else:
        return status
    return UNUSABLE


def _run(given: list[str]) -> int:
    parser = Parser(prog="hooklatch", description="Signed webhooks: look senders up, sign, verify.", allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    shelf = parser.add_subparsers(dest="command", metavar="COMMAND")
    if given and given[0].startswith("--") and given[0] not in {"--help", "--version"}:
        raise UsageError(_unknown(given[:1]))
    called = None
    for name, summary in COMMANDS.items():
        # Without abbreviations, or --secret would pass for --secret-file and its value for the name of a file.
        one = shelf.add_parser(name, help=summary, description=f"{summary.capitalize()}.", allow_abbrev=False)
        if given[:1] == [name]:
            called = import_module(f"hooklatch.cli.{name}")
            called.add_arguments(one)
    arguments, rest = parser.parse_known_args(given)
    if rest:
        raise UsageError(_unknown(rest))
    if arguments.version:
        print(f"hooklatch {metadata.version('hooklatch')}")
        return 0
    if called is None:
        msg = f"the first argument is a command: {', '.join(COMMANDS)}; see 'hooklatch --help'"
        raise UsageError(msg)
    status: int = called.run(arguments)
    return status


def _unknown(rest: list[str]) -> str:
    """Return what is wrong with *rest*. Only names are repeated: a value beside an unknown option may be a secret."""
    names = [item.partition("=")[0] for item in rest if item.startswith("--")]
    return f"unknown option {', '.join(names)}; see --help" if names else "too many arguments; see --help"


def complain(what: object) -> None:
    """Print *what* as one line on stderr."""
    print(f"hooklatch: {shown(str(what))}", file=sys.stderr)


def shown(text: str, limit: int = LONGEST_LINE) -> str:
    """Return *text* as a terminal may show it: one line, control characters escaped, at most *limit* characters."""
    cut = text if len(text) <= limit else f"{text[: limit - 3]}..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


def read(path: str) -> bytes:
    """Return the bytes of the file at *path*, or of standard input for ``-``; raise ``UsageError``."""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as bad:
        msg = f"{path}: {bad.strerror or bad}"
        raise UsageError(msg) from bad
    except (AttributeError, ValueError) as bad:
        msg = f"{path}: cannot be read"
        raise UsageError(msg) from bad


def _drop_output() -> None:
    """Let what is still buffered go nowhere, or the interpreter would stumble over it at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
