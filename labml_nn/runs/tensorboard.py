r"""
---
title: Events for TensorBoard
summary:
  Writes the metrics of a run as an event file that TensorBoard reads, without installing it.
---

# Events for TensorBoard

TensorBoard reads files of *events*. Each says which step it is about, when it was, and the value of
one or more quantities. The format is small enough to be written by hand, so nobody has to install
TensorBoard and all that it needs to leave a file for somebody who has it.
"""

import struct
from collections.abc import Iterator, Sequence
from functools import cache

from labml_nn.runs.ledger import Line

# What says where a measurement was made, and is not one
PLACES = ("step", "images", "epoch", "interval")


def as_events(lines: Sequence[Line], when: float) -> bytes:
    """The bytes of an event file with the `lines` of the metrics of a run.

    `when` is the time of all events, in seconds since 1970. What was measured within epochs has a
    name of its own, as it is a mean over other steps.
    """
    records = [_double(1, when) + _bytes(3, b"brain.Event:2")]
    for line in lines:
        values = b"".join(
            _bytes(1, _bytes(1, _tag(name, line)) + _float(2, value))
            for name, value in line.items()
            if name not in PLACES and value is not None
        )
        step = _number(2, int(line["step"] or 0))
        records.append(_double(1, when) + step + _bytes(5, values))
    return b"".join(map(_record, records))


def _tag(name: str, line: Line) -> bytes:
    """TensorBoard puts into one group what has the same word before a slash."""
    group, _, rest = name.partition(".")
    tag = f"{group}/{rest}" if rest else name
    return (f"{tag}.interval" if "interval" in line else tag).encode()


def _record(data: bytes) -> bytes:
    """An event with its length before it, and a checksum of both.

    The checksums are turned a little, so that a file inside of a file has other ones.
    """
    length = struct.pack("<Q", len(data))
    return b"".join((length, _checksum(length), data, _checksum(data)))


def _checksum(data: bytes) -> bytes:
    found = crc32c(data)
    turned = (found >> 15 | found << 17) & 0xFFFFFFFF
    return struct.pack("<I", (turned + 0xA282EAD8) & 0xFFFFFFFF)


def crc32c(data: bytes) -> int:
    """The checksum of `data` by Castagnoli's polynomial, which `zlib` does not have.

    The example is the one that the polynomial's users compare with (RFC 3720).

    >>> hex(crc32c(bytes(32)))
    '0x8a9136aa'
    """
    rest = 0xFFFFFFFF
    for byte in data:
        rest = _table()[(rest ^ byte) & 0xFF] ^ rest >> 8
    return rest ^ 0xFFFFFFFF


@cache
def _table() -> list[int]:
    def entry(rest: int) -> int:
        for _ in range(8):
            rest = rest >> 1 ^ (0x82F63B78 if rest & 1 else 0)
        return rest

    return [entry(byte) for byte in range(256)]


# ## Fields
#
# An event is a message of [protocol buffers](https://protobuf.dev/programming-guides/encoding/):
# fields one after the other, each with its number and the kind of what follows.
def _key(field: int, kind: int) -> bytes:
    return bytes([field << 3 | kind])


def _double(field: int, value: float) -> bytes:
    return _key(field, 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return _key(field, 5) + struct.pack("<f", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, 2) + _variable(len(value)) + value


def _number(field: int, value: int) -> bytes:
    return _key(field, 0) + _variable(value)


def _variable(value: int) -> bytes:
    """Seven bits in each byte, the last ones first; the eighth says that more follow."""
    return bytes(_sevens(value))


def _sevens(value: int) -> Iterator[int]:
    while value > 127:
        yield value & 127 | 128
        value >>= 7
    yield value
