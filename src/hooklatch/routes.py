"""Which chain judges a path. Exact paths and prefixes that end in ``/*``; ``protect`` has the same grammar.

Normalisation decides one thing only: whether a path could *mean* a route or a protected place to somebody else. A path
that differs from its canonical form (``//``, dot segments, a backslash, ``;``, a remaining ``%``, absolute form) and
falls there is refused, never judged as one thing and run as another. One slash at the end is tolerated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote

from hooklatch.chain import Chain
from hooklatch.errors import ConfigError, RequestAmbiguous, RouteUnknown

_STEP: Final = r"(?!\.{1,2}(?:/|$))[^/\\;%?#\x00-\x20\x7f]+"
_PLAIN: Final = re.compile(rf"/(?:{_STEP}/)*(?:{_STEP})?")
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]*")
_PATTERN: Final = re.compile(r"(?:/[^/*\\;%?#\x00-\x20\x7f]+)+(?:/\*)?|/\*?")


class Match(NamedTuple):
    """A route that judges the request."""

    pattern: str
    chain: Chain


class Routes:
    """The routes of one middleware, looked up in constant time however many there are."""

    def __init__(self, routes: Mapping[str, Chain], protect: Iterable[str] = ()) -> None:
        """Raise ``ConfigError`` for what is no route, or rules that undermine each other."""
        _demand_routes(routes)
        if isinstance(protect, str):
            msg = f"protect is a list: write [{protect!r}]"
            raise ConfigError(msg)
        protect = tuple(protect)
        for pattern, chain in routes.items():
            _demand_pattern("routes", pattern)
            if not isinstance(chain, Chain):
                msg = f"routes[{pattern!r}] is no chain; write GITHUB.chain(secret), not {type(chain).__name__}"
                raise ConfigError(msg)
        for pattern in protect:
            _demand_pattern("protect", pattern)
        _demand_secrets_apart(routes)
        self.table = dict(routes)
        self._exact = {_bare(p): Match(p, c) for p, c in routes.items() if not p.endswith("/*")}
        # What stands here is plain, because patterns are.
        self._at_once = {path: match for bare, match in self._exact.items() for path in (bare, f"{bare}/") if path}
        self._prefixes = {p[:-2]: Match(p, c) for p, c in routes.items() if p.endswith("/*")}
        if len(self._exact) + len(self._prefixes) < len(routes):
            msg = "routes: two of them differ only by a slash at the end"
            raise ConfigError(msg)
        self._protected = frozenset(_bare(p) for p in protect if not p.endswith("/*"))
        self._protected_prefixes = frozenset(p[:-2] for p in protect if p.endswith("/*"))
        self._has_prefixes = bool(self._prefixes or self._protected_prefixes)

    def find(self, path: str) -> Match | None:
        """Return the route for *path* (decoded, mount prefix included), None where it is none of our business.

        Raises ``RequestAmbiguous`` where the path could mean a route or a protected place to another router, and
        ``RouteUnknown`` below ``protect`` where no route judges.
        """
        match = self._at_once.get(path)
        if match is not None:
            return match
        if _PLAIN.fullmatch(path):
            return self._look_up(path)
        for meaning in _meanings(path):
            try:
                touched = self._look_up(meaning) is not None
            except RouteUnknown:
                touched = True
            if touched:
                msg = f"the path {path[:80]!r} could be read as {meaning[:80]!r}"
                raise RequestAmbiguous(msg)
        return None

    def find_mounted(self, path: str, mount: str) -> Match | None:
        """Return the route for *path*, or for what is left of it below *mount*: routes may be written either way."""
        match = self.find(path)
        if match is None and mount:
            mount = mount.rstrip("/")
            if mount and path.startswith(mount):
                return self.find(path[len(mount) :] or "/")
        return match

    def guards(self, path: str, mount: str = "") -> bool:
        """Return whether *path* is a route, lies below ``protect``, or could mean such a place."""
        try:
            return self.find_mounted(path, mount) is not None
        except (RequestAmbiguous, RouteUnknown):
            return True

    def _look_up(self, path: str) -> Match | None:
        bare = _bare(path)
        match = self._exact.get(bare)
        if match is not None or (not self._has_prefixes and bare not in self._protected):
            return match
        protected = bare in self._protected
        above = bare
        while True:
            match = match or self._prefixes.get(above)
            protected = protected or above in self._protected_prefixes
            if match or not above:
                break
            above = above.rpartition("/")[0]
        if match is None and protected:
            msg = f"{path[:80]!r} is protected, and no route judges it"
            raise RouteUnknown(msg)
        return match


def _bare(path: str) -> str:
    return path.removesuffix("/")


def _meanings(path: str) -> set[str]:
    """Return the plain paths that *path* could mean to a router that is laxer, or stricter, than the server was."""
    found = set()
    bare = _ABSOLUTE.sub("", path)
    for text in (path, bare, unquote(bare), unquote(unquote(bare))):
        slashed = text.replace("\\", "/")
        uncut = re.sub(r";[^/]*", "", text).replace("\\", "/")
        for cut in (slashed, uncut, re.sub(r";[^/]*", "", slashed), re.sub(r"[?#].*", "", slashed)):
            for printable in (cut, re.sub(r"[\x00-\x20\x7f]", "", cut)):
                found.add(_resolved(printable))
                found.add(re.sub("/+", "/", f"/{printable}"))
    return found


def _resolved(path: str) -> str:
    steps: list[str] = []
    for step in path.split("/"):
        if step == "..":
            del steps[-1:]
        elif step not in {"", "."}:
            steps.append(step)
    return "/" + "/".join(steps)


def _demand_routes(routes: object) -> None:
    if not isinstance(routes, Mapping) or not routes:
        msg = "routes: give a dict of paths and chains, as in {'/hooks/github': GITHUB.chain(secret)}"
        raise ConfigError(msg)


def _demand_pattern(setting: str, pattern: object) -> None:
    if (
        not isinstance(pattern, str)
        or not _PATTERN.fullmatch(pattern)
        or "/./" in f"{pattern}/"
        or "/../" in f"{pattern}/"
    ):
        msg = f"{setting}: {pattern!r} is no path; write '/hooks/github', or a prefix such as '/hooks/*'"
        raise ConfigError(msg)


def _demand_secrets_apart(routes: Mapping[str, Chain]) -> None:
    """Refuse one secret under two different signed contents where one of them covers single fields only.

    A delivery to the one could then be dressed up for the other: Speckle's new format wrapped as its old one, or
    Mechanic's plain recipe as its timed one.
    """
    seen: dict[bytes, tuple[str, Chain]] = {}
    for pattern, chain in routes.items():
        for secret in chain.identity.secrets:
            other_pattern, other = seen.setdefault(secret, (pattern, chain))
            if other.identity.recipe != chain.identity.recipe and "fields" in {chain.coverage, other.coverage}:
                msg = (
                    f"routes {other_pattern!r} and {pattern!r} share a secret but sign different things; "
                    "a delivery to one could be passed off at the other: give each a secret of its own"
                )
                raise ConfigError(msg)
