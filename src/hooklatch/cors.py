"""CORS, for senders that post from a browser: which pages may read our answers (Fetch Standard, section 3.2).

It tells a browser what a *page* may do; it stops nobody who is not a browser, and is no authentication.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hooklatch.errors import ConfigError

if TYPE_CHECKING:
    from hooklatch.errors import Headers
    from hooklatch.types import Head

_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
_DEFAULT_PORT: Final = re.compile(r"http:.*:80|https:.*:443")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, slots=True)
class CORS:
    """Which origins may post here. *origins*: as browsers send them (``https://shop.example``), or ``["*"]``;
    *headers*: request headers a page may set; *max_age*: seconds a browser may keep a preflight's answer;
    *credentials*: whether cookies may come along (never with ``*``).
    """

    origins: Sequence[str]
    headers: Sequence[str] = ("content-type",)
    max_age: int = 600
    credentials: bool = False

    def __post_init__(self) -> None:
        """Raise ``ConfigError`` for what no browser would send, or no browser would obey."""
        if isinstance(self.origins, str) or isinstance(self.headers, str):
            msg = "cors: origins and headers are lists, as in cors=['https://shop.example']"
            raise ConfigError(msg)
        if not self.origins:
            msg = "cors: name at least one origin, or leave cors out"
            raise ConfigError(msg)
        if "*" in self.origins and (self.credentials or len(self.origins) > 1):
            msg = "cors: '*' stands alone and never goes with credentials; list the origins"
            raise ConfigError(msg)
        for origin in self.origins:
            if not isinstance(origin, str) or (
                origin not in {"*", "null"} and (not _ORIGIN.fullmatch(origin) or _DEFAULT_PORT.fullmatch(origin))
            ):
                msg = (
                    f"cors: {origin!r} is not an origin as browsers send it: scheme://host, lower case, "
                    "a port only if it is not the scheme's own, no path, no slash at the end"
                )
                raise ConfigError(msg)
        if not all(isinstance(name, str) and _TOKEN.fullmatch(name) for name in self.headers):
            msg = "cors: headers is a list of header names"
            raise ConfigError(msg)
        if not isinstance(self.max_age, int) or self.max_age < 0:
            msg = "cors: max_age is a whole number of seconds"
            raise ConfigError(msg)

    def allows(self, origin: str) -> bool:
        """Return whether a page of *origin* may post here; compared exactly."""
        return origin in self.origins or (tuple(self.origins) == ("*",) and origin != "null")

    def answer(self, head: Head) -> Headers:
        """Return the header lines for every answer to *head*, refusals included."""
        if tuple(self.origins) == ("*",):
            return (("access-control-allow-origin", "*"),)
        lines = head.headers.all("origin")
        vary = ("vary", "Origin")
        if len(lines) != 1 or not self.allows(lines[0]):
            return (vary,)
        allowed = (("access-control-allow-origin", lines[0]), vary)
        return (*allowed, ("access-control-allow-credentials", "true")) if self.credentials else allowed

    def preflight(self, methods: Sequence[str]) -> Headers:
        """Return the further header lines that answer a preflight."""
        return (
            ("access-control-allow-methods", ", ".join(methods)),
            ("access-control-allow-headers", ", ".join(self.headers)),
            ("access-control-max-age", str(self.max_age)),
        )


def policy(given: CORS | Sequence[str] | None) -> CORS | None:
    """Return what the option ``cors=`` means: a policy, a list of origins, or nothing; raise ``ConfigError``."""
    if given is None or isinstance(given, CORS):
        return given
    if isinstance(given, str) or not isinstance(given, Iterable):
        msg = f"cors is a list of origins or a CORS(...): write [{given!r}]"
        raise ConfigError(msg)
    return CORS(tuple(given))


def missing(lines: Headers, given: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return those of our *lines* that the *given* headers do not say already: browsers refuse what is said twice."""
    present = {name.lower() for name, _ in given}
    varies = {part.strip().lower() for name, value in given if name.lower() == "vary" for part in value.split(",")}
    said = present - {"vary"} | ({"vary"} if varies & {"origin", "*"} else set())
    return [line for line in lines if line[0] not in said]
