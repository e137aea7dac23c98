"""What a Redis store asks: four scripts, and one plain command for what is by far the most frequent."""

from __future__ import annotations

import hashlib
from typing import Final, Protocol

# One text a delivery, of fixed columns: state (L live, R released, D done), token (32 hex), fingerprint (32 hex), then
# :lease:ttl:first seen (ms). The key lives as long as the ttl, so its age is the ttl less what is left of it, and the
# server's own clock decides whether a lease has lapsed.
_READ: Final = """
local function lapsed(key, known)
  local lease, ttl = string.match(known, ':(%d+):(%d+):', 66)
  return tonumber(ttl) - redis.call('PTTL', key) >= tonumber(lease)
end
"""
_CLAIM: Final = (
    _READ
    + """
local wish, ttl = ARGV[1], ARGV[2]
local token, fingerprint = string.sub(wish, 2, 33), string.sub(wish, 34, 65)
local done, flying, since = false, false, false
for _, key in ipairs(KEYS) do
  local known = redis.call('GET', key)
  if known then
    since = string.match(known, ':(%d+)$')
    if string.sub(known, 34, 65) ~= fingerprint then return {'altered', since} end
    local state = string.sub(known, 1, 1)
    if state == 'D' then done = since
    elseif state == 'L' and string.sub(known, 2, 33) ~= token and not lapsed(key, known) then flying = since end
  end
end
if done then return {'done', done} end
if flying then return {'in_flight', flying} end
if since then wish = string.gsub(wish, ':%d+$', ':' .. since) end
for _, key in ipairs(KEYS) do redis.call('SET', key, wish, 'PX', ttl) end
return {'granted', ''}
"""
)
_RENEW: Final = """
local token = string.sub(ARGV[1], 1, 33)
for _, key in ipairs(KEYS) do
  local known = redis.call('GET', key)
  if not known or string.sub(known, 1, 33) ~= token then return 0 end
end
for _, key in ipairs(KEYS) do redis.call('SET', key, redis.call('GET', key), 'PX', ARGV[2]) end
return 1
"""
# First what nearly every commit finds: its own claim, of one key.
_COMMIT: Final = (
    """
local mine = redis.call('GET', KEYS[1])
if not KEYS[2] and mine and string.sub(mine, 1, 33) == string.sub(ARGV[1], 1, 33) then
  redis.call('SET', KEYS[1], 'D' .. string.sub(mine, 2), 'PX', ARGV[2])
  return 1
end
"""
    + _READ
    + """
local wish = 'D' .. string.sub(ARGV[1], 2)
local token, since = string.sub(wish, 2, 33), false
for _, key in ipairs(KEYS) do
  local known = redis.call('GET', key)
  if known then
    since = string.match(known, ':(%d+)$')
    if string.sub(known, 2, 33) ~= token then
      local state = string.sub(known, 1, 1)
      if state == 'D' or (state == 'L' and not lapsed(key, known)) then return 0 end
    end
  end
end
if since then wish = string.gsub(wish, ':%d+$', ':' .. since) end
for _, key in ipairs(KEYS) do redis.call('SET', key, wish, 'PX', ARGV[2]) end
return 1
"""
)
_RELEASE: Final = """
local token = string.sub(ARGV[1], 1, 33)
for _, key in ipairs(KEYS) do
  local known = redis.call('GET', key)
  if known and string.sub(known, 1, 33) == token then
    local left = redis.call('PTTL', key)
    redis.call('SET', key, 'R' .. string.rep('0', 32) .. string.sub(known, 34), 'PX', left > 0 and left or 1)
  end
end
return 1
"""


class Verb(Protocol):
    """One verb of a store, as the words of a command."""

    def words(self, keys: list[str], wish: str, ttl: str) -> tuple[str, ...]:
        """Return what is sent for *keys*: their text, and how long it lives (ms)."""

    def taught(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return *words* for a server that does not know the script."""


class _Script:
    """A script, called by its digest."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._digest = hashlib.sha1(text.encode("ascii"), usedforsecurity=False).hexdigest()

    def words(self, keys: list[str], wish: str, ttl: str) -> tuple[str, ...]:
        """See ``Verb``."""
        return ("EVALSHA", self._digest, str(len(keys)), *keys, wish, ttl)

    def taught(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """See ``Verb``."""
        return ("EVAL", self._text, *words[2:])


class _First:
    """The claim of a delivery that nobody has seen: one plain command, and by far the most frequent."""

    def words(self, keys: list[str], wish: str, ttl: str) -> tuple[str, ...]:
        """See ``Verb``."""
        return ("SET", keys[0], wish, "NX", "PX", ttl)

    def taught(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """See ``Verb``."""
        return words


FIRST: Final[Verb] = _First()
CLAIM: Final[Verb] = _Script(_CLAIM)
RENEW: Final[Verb] = _Script(_RENEW)
COMMIT: Final[Verb] = _Script(_COMMIT)
RELEASE: Final[Verb] = _Script(_RELEASE)
