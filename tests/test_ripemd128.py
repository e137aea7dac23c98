"""RIPEMD-128 against its published answers and against a slow implementation that shares nothing with it."""

from __future__ import annotations

import runpy
import struct
from array import array
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooklatch import _ripemd128
from hooklatch._ripemd128 import RIPEMD128

GENERATOR = Path(__file__).resolve().parent.parent / "tools" / "generate_ripemd128.py"

# https://homes.esat.kuleuven.be/~bosselae/ripemd160.html
KNOWN_ANSWERS = [
    (b"", "cdf26213a150dc3ecb610f18f6b38b46"),
    (b"a", "86be7afa339d0fc7cfc785e72f578d33"),
    (b"abc", "c14a12199c66e4ba84636b0f69144c77"),
    (b"message digest", "9e327b3d6e523062afc1132d7df9d1b8"),
    (b"abcdefghijklmnopqrstuvwxyz", "fd2aa607f71dc8f510714922b371834e"),
    (b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "a1aa0689d0fafa2ddc22e88b49133a06"),
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d1e959eb179c911faea4624c60c5c702"),
    (b"1234567890" * 8, "3f45ef194732c2dbb2c4a2c769795fa3"),
    (b"a" * 1_000_000, "4a7f5723f954eba1216c9d8f6320431f"),
]

# One row a round; the first four are the left line, the others the right line.
ORDERS = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8],
    [3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12],
    [1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2],
    [5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12],
    [6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2],
    [15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13],
    [8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14],
]
SHIFTS = [
    [11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8],
    [7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12],
    [11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5],
    [11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12],
    [8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6],
    [9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11],
    [9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5],
    [15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8],
]
CONSTANTS = [0, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0]


def mixed(number: int, x: int, y: int, z: int) -> int:
    if number == 0:
        return x ^ y ^ z
    if number == 1:
        return (x & y) | (~x & z)
    if number == 2:
        return (x | ~y) ^ z
    return (x & z) | (y & ~z)


def slow_ripemd128(message: bytes) -> bytes:
    padded = message + b"\x80"
    padded += bytes(-(len(padded) + 8) % 64) + (8 * len(message)).to_bytes(8, "little")
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    for words in struct.iter_unpack("<16I", padded):
        lines = []
        for first in (0, 4):
            a, b, c, d = state
            for row in range(first, first + 4):
                number = row if first == 0 else 7 - row
                for word, shift in zip(ORDERS[row], SHIFTS[row], strict=True):
                    total = (a + mixed(number, b, c, d) + words[word] + CONSTANTS[row]) % 2**32
                    a, b, c, d = d, (total << shift | total >> (32 - shift)) % 2**32, b, c
            lines.append((a, b, c, d))
        left, right = lines
        state = [(state[(i + 1) % 4] + left[(i + 2) % 4] + right[(i + 3) % 4]) % 2**32 for i in range(4)]
    return struct.pack("<4I", *state)


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    if not GENERATOR.exists():
        pytest.skip("tools/ is not shipped here")
    return runpy.run_path(str(GENERATOR))


@pytest.mark.parametrize(("message", "answer"), KNOWN_ANSWERS, ids=lambda value: str(value)[:24])
def test_published_messages_have_their_published_digests(message: bytes, answer: str) -> None:
    assert RIPEMD128(message).hexdigest() == answer


@pytest.mark.parametrize(("message", "answer"), KNOWN_ANSWERS[:-1])
def test_the_slow_reference_has_the_published_digests_too(message: bytes, answer: str) -> None:
    assert slow_ripemd128(message).hex() == answer


def test_it_describes_itself_as_hashlib_objects_do() -> None:
    fresh = RIPEMD128()
    assert (fresh.name, fresh.digest_size, fresh.block_size) == ("ripemd128", 16, 64)
    assert len(fresh.digest()) == fresh.digest_size
    assert fresh.hexdigest() == fresh.digest().hex()


@pytest.mark.parametrize("size", range(200))
def test_every_length_of_padding_agrees_with_the_slow_reference(size: int) -> None:
    message = bytes(range(size))
    assert RIPEMD128(message).digest() == slow_ripemd128(message)


@given(st.binary(max_size=400))
def test_random_messages_agree_with_the_slow_reference(message: bytes) -> None:
    assert RIPEMD128(message).digest() == slow_ripemd128(message)


@given(st.binary(min_size=64, max_size=64), st.tuples(*[st.integers(0, 2**32 - 1)] * 4))
def test_any_state_is_compressed_to_words_of_32_bits(block: bytes, state: tuple[int, int, int, int]) -> None:
    assert all(0 <= word < 2**32 for word in _ripemd128._compress(state, block, 0))


@given(st.lists(st.binary(max_size=150), max_size=12), st.sampled_from([bytes, bytearray, memoryview]))
def test_chunking_never_changes_the_digest(chunks: list[bytes], kind: type[bytes | bytearray | memoryview]) -> None:
    chunked = RIPEMD128()
    for chunk in chunks:
        chunked.update(kind(chunk))
    assert chunked.digest() == RIPEMD128(b"".join(chunks)).digest()


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_asking_for_the_digest_does_not_disturb_the_state(first: bytes, second: bytes) -> None:
    asked = RIPEMD128(first)
    assert asked.digest() == asked.digest()
    asked.update(second)
    assert asked.digest() == RIPEMD128(first + second).digest()


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_a_copy_and_its_original_go_separate_ways(shared: bytes, mine: bytes, yours: bytes) -> None:
    original = RIPEMD128(shared)
    twin = original.copy()
    original.update(mine)
    twin.update(yours)
    assert original.digest() == RIPEMD128(shared + mine).digest()
    assert twin.digest() == RIPEMD128(shared + yours).digest()


def test_a_view_of_wider_items_is_hashed_as_its_bytes() -> None:
    numbers = array("I", range(40))
    hashed = RIPEMD128()
    hashed.update(memoryview(numbers))
    assert hashed.digest() == RIPEMD128(numbers.tobytes()).digest()


def test_a_chunk_changed_after_its_update_does_not_change_the_digest() -> None:
    chunk = bytearray(b"abc")
    hashed = RIPEMD128()
    hashed.update(chunk)
    chunk[:] = b"something longer"
    assert hashed.digest() == RIPEMD128(b"abc").digest()


def test_text_is_refused() -> None:
    with pytest.raises(TypeError):
        RIPEMD128("abc")  # type: ignore[arg-type]


def test_the_compression_function_is_what_the_generator_writes(generator: dict[str, Any]) -> None:
    assert generator["main"](["--check"]) == 0


def test_the_check_fails_after_a_change_by_hand_and_writing_repairs_it(
    generator: dict[str, Any], tmp_path: Path
) -> None:
    source = Path(_ripemd128.__file__).read_text(encoding="utf-8")
    edited = tmp_path / "_ripemd128.py"
    edited.write_text(source.replace("0x5A827999", "0x5A827998", 1), encoding="utf-8")
    assert generator["main"](["--check", str(edited)]) == 1
    assert generator["main"]([str(edited)]) == 0
    assert edited.read_text(encoding="utf-8") == source
