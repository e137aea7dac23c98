"""RIPEMD-128, in Python and in C: published answers, PHP, and a slow implementation that shares nothing with either."""

from __future__ import annotations

import hmac
import random
import runpy
import struct
import subprocess
import threading
from array import array
from base64 import b64encode
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooklatch import _ripemd128
from hooklatch.digests import FAST_PACE, PURE_PYTHON_PACE, digest
from hooklatch.errors import ConfigError
from hooklatch.keys import HMACKey
from hooklatch.providers import PATCHWORKS
from services import program
from worlds import compiled_ripemd128

Implementation: TypeAlias = Any
"""A class with the face of ``hashlib.sha256``."""

ROOT = Path(__file__).resolve().parent.parent
GENERATOR = ROOT / "tools" / "generate_ripemd128.py"

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


@pytest.fixture(scope="module", params=["python", "c"])
def hashing(request: pytest.FixtureRequest) -> Implementation:
    """One of the two implementations."""
    return _ripemd128.RIPEMD128 if request.param == "python" else compiled_ripemd128()


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    if not GENERATOR.exists():
        pytest.skip("tools/ is not shipped here")
    return runpy.run_path(str(GENERATOR))


@pytest.mark.parametrize(("message", "answer"), KNOWN_ANSWERS, ids=lambda value: str(value)[:24])
def test_published_messages_have_their_published_digests(hashing: Implementation, message: bytes, answer: str) -> None:
    assert hashing(message).hexdigest() == answer


@pytest.mark.parametrize(("message", "answer"), KNOWN_ANSWERS[:-1])
def test_the_slow_reference_has_the_published_digests_too(message: bytes, answer: str) -> None:
    assert slow_ripemd128(message).hex() == answer


def test_it_describes_itself_as_hashlib_objects_do(hashing: Implementation) -> None:
    fresh = hashing()
    assert (fresh.name, fresh.digest_size, fresh.block_size) == ("ripemd128", 16, 64)
    assert len(fresh.digest()) == fresh.digest_size
    assert fresh.hexdigest() == fresh.digest().hex()


@pytest.mark.parametrize("size", range(200))
def test_every_length_of_padding_agrees_with_the_slow_reference(hashing: Implementation, size: int) -> None:
    message = bytes(range(size))
    assert hashing(message).digest() == slow_ripemd128(message)


@given(st.binary(max_size=400))
def test_random_messages_agree_with_the_slow_reference(hashing: Implementation, message: bytes) -> None:
    assert hashing(message).digest() == slow_ripemd128(message)


@given(st.binary(min_size=64, max_size=64), st.tuples(*[st.integers(0, 2**32 - 1)] * 4))
def test_any_state_is_compressed_to_words_of_32_bits(block: bytes, state: tuple[int, int, int, int]) -> None:
    assert all(0 <= word < 2**32 for word in _ripemd128._compress(state, block, 0))


@given(st.lists(st.binary(max_size=150), max_size=12), st.sampled_from([bytes, bytearray, memoryview]))
def test_chunking_never_changes_the_digest(
    hashing: Implementation, chunks: list[bytes], kind: type[bytes | bytearray | memoryview]
) -> None:
    chunked = hashing()
    for chunk in chunks:
        chunked.update(kind(chunk))
    assert chunked.digest() == hashing(b"".join(chunks)).digest()


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_asking_for_the_digest_does_not_disturb_the_state(hashing: Implementation, first: bytes, second: bytes) -> None:
    asked = hashing(first)
    assert asked.digest() == asked.digest()
    asked.update(second)
    assert asked.digest() == hashing(first + second).digest()


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_a_copy_and_its_original_go_separate_ways(
    hashing: Implementation, shared: bytes, mine: bytes, yours: bytes
) -> None:
    original = hashing(shared)
    twin = original.copy()
    original.update(mine)
    twin.update(yours)
    assert original.digest() == hashing(shared + mine).digest()
    assert twin.digest() == hashing(shared + yours).digest()


def test_a_view_of_wider_items_is_hashed_as_its_bytes(hashing: Implementation) -> None:
    numbers = array("I", range(40))
    hashed = hashing()
    hashed.update(memoryview(numbers))
    assert hashed.digest() == hashing(numbers.tobytes()).digest()


def test_a_chunk_changed_after_its_update_does_not_change_the_digest(hashing: Implementation) -> None:
    chunk = bytearray(b"abc")
    hashed = hashing()
    hashed.update(chunk)
    chunk[:] = b"something longer"
    assert hashed.digest() == hashing(b"abc").digest()


def test_text_is_refused(hashing: Implementation) -> None:
    with pytest.raises(TypeError):
        hashing("abc")


def test_the_compression_functions_are_what_the_generator_writes(generator: dict[str, Any]) -> None:
    assert generator["main"](["--check"]) == 0


@pytest.mark.parametrize("name", ["_ripemd128.py", "_ripemd128_c.c"])
def test_the_check_fails_after_a_change_by_hand_and_writing_repairs_it(
    generator: dict[str, Any], tmp_path: Path, name: str
) -> None:
    source = (ROOT / "src" / "hooklatch" / name).read_text(encoding="utf-8")
    edited = tmp_path / name
    edited.write_text(source.replace("0x5A827999", "0x5A827998", 1), encoding="utf-8")
    assert generator["main"](["--check", str(edited)]) == 1
    assert generator["main"]([str(edited)]) == 0
    assert edited.read_text(encoding="utf-8") == source


PHP = """
while (($line = fgets(STDIN)) !== false) {
    [$key, $message] = array_map('base64_decode', explode(' ', rtrim($line)));
    echo hash_hmac('ripemd128', $message, $key), "\\n";
}
"""


@pytest.mark.usefixtures("ripemd128")
def test_php_computes_the_same_hmac_of_a_thousand_random_messages() -> None:
    chance = random.Random(128)
    sizes = [*range(260), *(chance.randrange(5000) for _ in range(800))]
    pairs = [(chance.randbytes(1 + number % 150), chance.randbytes(size)) for number, size in enumerate(sizes)]
    lines = "".join(f"{b64encode(key).decode()} {b64encode(message).decode()}\n" for key, message in pairs)
    done = subprocess.run([program("php"), "-r", PHP], input=lines, capture_output=True, text=True, check=True)
    assert len(pairs) >= 1000
    assert done.stdout.split() == [HMACKey("hmac-ripemd128", key).sign(message).hex() for key, message in pairs]


@given(st.lists(st.integers(0, 5000), max_size=6), st.randoms(use_true_random=False))
def test_c_and_python_agree_however_the_bytes_are_cut(sizes: list[int], chance: random.Random) -> None:
    compiled: Implementation = compiled_ripemd128()()
    python = _ripemd128.RIPEMD128()
    for size in sizes:
        chunk = chance.randbytes(size)
        compiled.update(chunk)
        python.update(chunk)
    assert compiled.digest() == compiled.copy().digest() == python.digest()


def test_it_is_a_digestmod_of_the_standard_hmac(hashing: Implementation) -> None:
    # RFC 2286, section 2, test case 1.
    expected = "fbf61f9492aa4bbf81c172e84e0734db"
    assert hmac.new(b"\x0b" * 16, b"Hi There", hashing).hexdigest() == expected


def test_the_c_hash_takes_data_by_name_and_nothing_else() -> None:
    hashing: Implementation = compiled_ripemd128()
    assert hashing(data=b"abc").digest() == hashing(b"abc").digest()
    for wrong in ({"text": b""}, {"data": None}):
        with pytest.raises(TypeError):
            hashing(**wrong)
    with pytest.raises(TypeError):
        hashing().update(None)
    with pytest.raises(BufferError):
        hashing().update(memoryview(b"abcdef")[::2])


def test_other_threads_run_while_c_hashes_a_large_chunk_and_none_may_disturb_it() -> None:
    hashing: Implementation = compiled_ripemd128()
    hashed = hashing()
    large = bytes(range(256)) * (1 << 14)
    uses = {"update": lambda: hashed.update(b""), "copy": hashed.copy, "digest": hashed.digest, "hex": hashed.hexdigest}
    refused: set[str] = set()
    fed = 0

    def feed() -> None:
        nonlocal fed
        while len(refused) < len(uses) and fed < 500:
            hashed.update(large)
            fed += 1

    worker = threading.Thread(target=feed)
    worker.start()
    while worker.is_alive():
        for name, use in uses.items():
            try:
                use()
            except RuntimeError as busy:
                refused.add(name if "another thread" in str(busy) else str(busy))
    worker.join()
    assert refused == set(uses)
    expected = hashing()
    for _ in range(fed):
        expected.update(large)
    assert hashed.digest() == expected.digest()


def test_the_extension_lifts_the_cap_and_the_note_and_python_keeps_both(ripemd128: str) -> None:
    record = PATCHWORKS.using(algorithm="hmac-ripemd128")
    chain = record.chain("a secret of sixteen")
    noted = [note for note in chain.notes if "RIPEMD-128" in note]
    if ripemd128 == "c":
        assert digest("ripemd128").pace == chain.pace == FAST_PACE
        assert chain.max_body == PATCHWORKS.chain("a secret of sixteen").max_body
        assert noted == []
        assert record.chain("a secret of sixteen", max_body=1 << 24).max_body == 1 << 24
    else:
        assert digest("ripemd128").pace == chain.pace == PURE_PYTHON_PACE
        assert chain.max_body == 1 << 16
        assert noted == ["RIPEMD-128 runs in pure Python, not in C: bodies over 65536 bytes are refused"]
        with pytest.raises(ConfigError, match="compiler"):
            record.chain("a secret of sixteen", max_body=(1 << 16) + 1)
