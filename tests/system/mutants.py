"""Files broken in many ways, the same ones every time: a seed says which."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]
_NUMBER = re.compile(rb"-?\d+\.\d*(?:E[-+]?\d+)?|-?\d+\.?")
_HUGE = (b"1e308", b"-1.E+308", b"99999999999999999999", b"-1", b"0.", b"1e-300", b"2147483648", b"NaN", b"1.#INF")


def flipped(data: bytes, chance: random.Random) -> bytes:
    """A few bits turned over."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def cut_short(data: bytes, chance: random.Random) -> bytes:
    """The end missing, as after a broken transfer."""
    return data[: chance.randrange(len(data))]


def lines_swapped(data: bytes, chance: random.Random) -> bytes:
    """Bodies of lines changed about: every reference leads to something else."""
    mark = b"\n" if b"\n" in data else b","
    lines = data.split(mark)
    if len(lines) < 2:
        return flipped(data, chance)
    for _ in range(chance.randint(1, 6)):
        a, b = chance.sample(range(len(lines)), 2)
        one, other = (line.split(b"=", 1) for line in (lines[a], lines[b]))
        if len(one) == len(other) == 2:
            lines[a], lines[b] = one[0] + b"=" + other[1], other[0] + b"=" + one[1]
        else:
            lines[a], lines[b] = lines[b], lines[a]
    return mark.join(lines)


def references_swapped(data: bytes, chance: random.Random) -> bytes:
    """References of an IFC file (or words of any other) led elsewhere, also into rings."""
    found = list(re.finditer(rb"(?<=[(,])#\d+", data)) or list(re.finditer(rb"\w+", data))
    out = bytearray(data)
    for match in sorted(chance.sample(found, min(len(found), 5)), key=lambda m: -m.start()):
        out[match.start() : match.end()] = chance.choice(found).group()
    return bytes(out)


def numbers_blown(data: bytes, chance: random.Random) -> bytes:
    """Numbers beyond all measure, or of no measure at all."""
    found = list(_NUMBER.finditer(data))
    out = bytearray(data)
    for match in sorted(chance.sample(found, min(len(found), 4)), key=lambda m: -m.start()):
        out[match.start() : match.end()] = chance.choice(_HUGE)
    return bytes(out)


def nested_deep(data: bytes, chance: random.Random) -> bytes:
    """Thousands of brackets inside one another."""
    found = [m.start() for m in re.finditer(rb"[\[(]", data)] or [0]
    at, depth = chance.choice(found), chance.choice((200, 5000, 100_000))
    mark = data[at : at + 1] if data[at : at + 1] in (b"(", b"[") else b"["
    return data[:at] + mark * depth + data[at:]


def piece_repeated(data: bytes, chance: random.Random) -> bytes:
    """A piece written again and again."""
    a = chance.randrange(len(data))
    piece = data[a : a + chance.randint(1, 400)]
    return data[:a] + piece * chance.randint(2, 50) + data[a:]


def piece_lost(data: bytes, chance: random.Random) -> bytes:
    """A piece missing from the middle."""
    a = chance.randrange(len(data))
    return data[:a] + data[a + chance.randint(1, 300) :]


MUTATIONS: tuple[Mutation, ...] = (
    flipped, cut_short, lines_swapped, references_swapped, numbers_blown, nested_deep, piece_repeated, piece_lost,
)


def mutant(data: bytes, seed: int) -> tuple[str, bytes]:
    """(what was done, the broken file) of a seed; the same seed breaks it the same way."""
    chance = random.Random(seed)
    how = MUTATIONS[seed % len(MUTATIONS)]
    return how.__name__, how(data, chance)


def mutant_glb(data: bytes, seed: int) -> tuple[str, bytes]:
    """As `mutant`; half of the rounds damage only its JSON or its binary chunk and say the right lengths for it."""
    turn = seed // len(MUTATIONS)
    if turn // 2 % 2 == 0:
        return mutant(data, seed)
    size = struct.unpack_from("<I", data, 12)[0]
    chunks = [data[20 : 20 + size], data[28 + size :]]
    hurt = turn // 4 % 2
    how, chunks[hurt] = mutant(chunks[hurt], seed)
    chunks = [chunk + (b" " if k == 0 else b"\0") * (-len(chunk) % 4) for k, chunk in enumerate(chunks)]
    body = b"".join(struct.pack("<I4s", len(c), kind) + c for c, kind in zip(chunks, (b"JSON", b"BIN\0"), strict=True))
    return how, struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body
