"""``hooklatch check``: whether a configuration file can be used, for CI and for the moment before a restart.

One line for each route and status 0, or one line for each problem, on standard error, and status 2. Nothing is opened:
neither the store nor a socket. ``call:`` references are imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hooklatch.cli import UNUSABLE, complain, shown
from hooklatch.config import examine

if TYPE_CHECKING:
    import argparse

    from hooklatch.chain import Chain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``check`` takes to *parser*."""
    parser.add_argument("file", metavar="FILE", help="a configuration such as hooklatch.toml")
    parser.add_argument("--no-secrets", action="store_true", help="do not look for the secrets that the file refers to")


def run(arguments: argparse.Namespace) -> int:
    """Print what each route does and return 0, or what is wrong and return 2."""
    found = examine(arguments.file, secrets=not arguments.no_secrets)
    for problem in found.problems:
        complain(problem)
    if found.problems:
        return UNUSABLE
    for pattern, chain in found.settings["routes"].items():
        print(shown(described(pattern, chain, found.options[pattern])))
    return 0


def described(pattern: str, chain: Chain, options: dict[str, Any]) -> str:
    """Return in one line what the route *pattern* does: by default, and by what the file says itself."""
    figures = {
        "on_duplicate": chain.on_duplicate,
        "duplicate_key": chain.duplicate_key,
        "duplicate_ttl": chain.duplicate_ttl,
        "max_body": chain.max_body,
    }
    told = [f"{name}={_plain(value)}" for name, value in {**figures, **options}.items()]
    return f"{pattern}: {chain.provider} coverage={chain.coverage} {' '.join(told)}"


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{','.join(map(_plain, value))}]"
    return "none" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)
