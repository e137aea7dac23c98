"""Which chain judges a path. Exact paths and prefixes that end in ``/*``; ``protect`` has the same grammar.

Normalisation decides one thing only: whether a path could *mean* a route or a protected place to somebody else. A path
that differs from its canonical form (``//``, dot segments, a backslash, ``;``, a remaining ``%``, absolute form) and
falls there is refused, never judged as one thing and run as another. One slash at the end is tolerated. So is refused
what falls there and is longer than ``LONGEST``: what a stranger's path costs grows with its length, up to there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from hooklatch.chain import Chain
from hooklatch.errors import ConfigError, RequestAmbiguous, RouteUnknown

REMEMBERED: Final = 1024
"""Paths whose route is kept at hand, each of at most ``SHORT`` characters: what strangers send takes no more room."""

SHORT: Final = 200

LONGEST: Final = 2048
"""Longest path (characters) that a route judges."""

_STEP: Final = r"(?!\.{1,2}(?:/|$))[^/\\;%?#\x00-\x20\x7f]+"
_PLAIN: Final = re.compile(rf"/(?:{_STEP}/)*(?:{_STEP})?")
# Bounded, or each letter of a long word would be tried as the beginning of a scheme up to the end of the word.
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}://[^/]*")
_PARAMETERS: Final = re.compile(r";[^/]*")
_HIDDEN: Final = re.compile(r"[?#].*", re.DOTALL)
_UNSEEN: Final = re.compile(r"[\x00-\x20\x7f]")
_BETWEEN: Final = re.compile(r"[/\\;?#]")
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
        self._prefixes = {p[:-2]: Match(p, c) for p, c in routes.items() if p.endswith("/*")}
        if len(self._exact) + len(self._prefixes) < len(routes):
            msg = "routes: two of them differ only by a slash at the end"
            raise ConfigError(msg)
        self._protected = frozenset(_bare(p) for p in protect if not p.endswith("/*"))
        self._protected_prefixes = frozenset(p[:-2] for p in protect if p.endswith("/*"))
        prefixes = self._prefixes.keys() | self._protected_prefixes
        self._deepest = max((prefix.count("/") for prefix in prefixes), default=-1)
        guarded = self._exact.keys() | self._protected | prefixes
        self._guarded = {frozenset(bare.split("/")[1:]) for bare in guarded}
        self.known = lru_cache(REMEMBERED)(self._judged)
        """``find`` for a path of at most ``SHORT`` characters: no longer one is remembered."""

    def find(self, path: str) -> Match | None:
        """Return the route for *path* (decoded, mount prefix included), None where it is none of our business.

        Raises ``RequestAmbiguous`` where the path could mean a route or a protected place to another router, and
        ``RouteUnknown`` below ``protect`` where no route judges.
        """
        return self.known(path) if len(path) <= SHORT else self._judged(path)

    def _judged(self, path: str) -> Match | None:
        plain = _PLAIN.fullmatch(path)
        if len(path) > LONGEST:
            if self._touches(path) if plain else self._could_touch(path):
                msg = f"the path has {len(path)} characters, {LONGEST} are judged: {path[:80]!r}"
                raise RequestAmbiguous(msg)
            return None
        if plain:
            return self._look_up(path)
        for meaning in _meanings(path):
            if self._touches(meaning):
                msg = f"the path {path[:80]!r} could be read as {meaning[:80]!r}"
                raise RequestAmbiguous(msg)
        return None

    def find_mounted(self, path: str, mount: str) -> Match | None:
        """Return the route for *path*, or for what is left of it below *mount*: routes may be written either way."""
        try:
            match = self.known(path) if len(path) <= SHORT else self._judged(path)
            return self._below(path, mount) if match is None and mount else match
        except RouteUnknown:
            # Protected as a whole, and yet a route to whoever writes both as seen below the mount.
            if mount and (match := self._below(path, mount)):
                return match
            raise

    def _below(self, path: str, mount: str) -> Match | None:
        """Return the route for what is left of *path* below *mount*."""
        mount = mount.rstrip("/")
        return self.find(path[len(mount) :] or "/") if mount and path.startswith(mount) else None

    def guards(self, path: str, mount: str = "") -> bool:
        """Return whether *path* is a route, lies below ``protect``, or could mean such a place."""
        try:
            return self.find_mounted(path, mount) is not None
        except (RequestAmbiguous, RouteUnknown):
            return True

    def _touches(self, meaning: str) -> bool:
        """Return whether the plain path *meaning* is a route or lies below ``protect``."""
        try:
            return self._look_up(meaning) is not None
        except RouteUnknown:
            return True

    def _could_touch(self, path: str) -> bool:
        """Return whether *path*, too long to be read in every way, holds all the steps of a guarded place."""
        steps: set[str] = set()
        for text in _decoded(path):
            steps.update(_BETWEEN.split(_UNSEEN.sub("", text)))
        return any(guarded <= steps for guarded in self._guarded)

    def _look_up(self, path: str) -> Match | None:
        bare = _bare(path)
        match = self._exact.get(bare)
        protected = bare in self._protected
        if match is not None or (self._deepest < 0 and not protected):
            return match
        # No prefix has more steps than the deepest one, so a long path is not walked up from its end.
        above = "/".join(bare.split("/", self._deepest + 1)[: self._deepest + 1])
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
    cut = set()
    for text in _decoded(path):
        slashed = text.replace("\\", "/")
        uncut = _PARAMETERS.sub("", text)
        cut |= {text, uncut, slashed, uncut.replace("\\", "/"), _PARAMETERS.sub("", slashed), _HIDDEN.sub("", slashed)}
    found = set()
    for text in cut | {_UNSEEN.sub("", text) for text in cut}:
        found |= {_resolved(text), re.sub("/+", "/", f"/{text}")}
    return found


def _decoded(path: str) -> set[str]:
    bare = _ABSOLUTE.sub("", path)
    return {path, bare, unquote(bare), unquote(unquote(bare))}


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
