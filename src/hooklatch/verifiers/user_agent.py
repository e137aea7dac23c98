"""User-agent routing: test traffic is diverted, after the signature holds.

A User-Agent is the sender's own word. It never makes anything acceptable; it only leads proven requests to a narrower
place. Where a ``Secret(test=True)`` exists, the key that signed decides, and the agent must agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from hooklatch.errors import ConfigError, Diverted, UserAgentNotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hooklatch.types import Check, Facts, Head

OnTest: TypeAlias = Literal["acknowledge", "mark"]
OtherAgents: TypeAlias = Literal["accept", "reject"]


class Agents:
    """A list of agents: whole header values, or prefixes that end in ``*``."""

    __slots__ = ("_exact", "_prefixes")

    def __init__(self, patterns: Iterable[str], setting: str) -> None:
        """Raise ``ConfigError``, naming *setting*, for what is no such pattern."""
        if isinstance(patterns, str):
            msg = f"{setting} is a list of agents, not one text: write [{patterns!r}]"
            raise ConfigError(msg)
        exact, prefixes = set(), []
        for pattern in patterns:
            if not isinstance(pattern, str) or not pattern.rstrip("*") or "*" in pattern[:-1]:
                msg = f"{setting}: {pattern!r} is neither a whole agent nor a prefix that ends in one *"
                raise ConfigError(msg)
            if pattern.endswith("*"):
                prefixes.append(pattern[:-1])
            else:
                exact.add(pattern)
        self._exact = frozenset(exact)
        self._prefixes = tuple(prefixes)

    def __bool__(self) -> bool:
        """Whether there is any pattern."""
        return bool(self._exact or self._prefixes)

    def match(self, agent: str) -> bool:
        """Return whether *agent* is one of them."""
        return agent in self._exact or agent.startswith(self._prefixes)

    def match_alone(self, agent: str) -> bool:
        """Return whether *agent* is one of them; a prefix counts only where a server cannot have joined two lines."""
        return agent in self._exact or ("," not in agent and agent.startswith(self._prefixes))


class UserAgent:
    """Routes proven requests by agent and key. *live*: the sender's own agents; *tests*: those of test traffic."""

    late = True
    __slots__ = ("_acknowledge", "_live", "_reject_others", "_tests")

    def __init__(self, live: Agents, tests: Agents, on_test: OnTest, other_agents: OtherAgents) -> None:
        """Raise ``ConfigError`` for unknown words, or ``other_agents="reject"`` without agents to accept."""
        if on_test not in {"acknowledge", "mark"}:
            msg = f"on_test={on_test!r} is unknown; say 'acknowledge' or 'mark'"
            raise ConfigError(msg)
        if other_agents not in {"accept", "reject"}:
            msg = f"other_agents={other_agents!r} is unknown; say 'accept' or 'reject'"
            raise ConfigError(msg)
        if other_agents == "reject" and not live:
            msg = "other_agents='reject' needs to know the sender's agents; its record names none (agents=)"
            raise ConfigError(msg)
        self._live = live
        self._tests = tests
        self._acknowledge = on_test == "acknowledge"
        self._reject_others = other_agents == "reject"

    def open(self, head: Head, facts: Facts) -> Check:  # noqa: ARG002 - acts only once the signature holds
        """Return the check that acts after proof."""
        return self

    def update(self, chunk: bytes) -> None:
        """Do nothing."""

    def finish(self, facts: Facts) -> None:
        """Mark or divert test traffic; raise ``Diverted`` or ``UserAgentNotAllowed``."""
        lines = facts.head.headers.all("user-agent")
        agent = lines[0].strip(" \t") if len(lines) == 1 else ""
        looks_like_test = self._tests.match_alone(agent)
        if facts.tests:
            if looks_like_test and not facts.test:
                msg = "a test agent under a live secret"
                raise UserAgentNotAllowed(msg)
        else:
            facts.test = looks_like_test
        if facts.test:
            if self._acknowledge:
                raise Diverted
        elif self._reject_others and not self._live.match(agent):
            msg = "not one of the sender's agents (other_agents='reject')"
            raise UserAgentNotAllowed(msg)
