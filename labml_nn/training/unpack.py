r"""
---
title: Reading what a stranger wrote
summary:
  Reading the files of torch.save without running anything in them, and without giving them more
  memory than they bring along.
hook: Weights from strangers, and nothing of theirs runs.
---

# Reading what a stranger wrote

A [checkpoint](checkpoint.py) may come from anywhere: a colleague, a forum, a disk that is failing.
It is a zip archive. The numbers of each tensor are a file in it, and a *pickle* says how names,
numbers and tensors belong together.

Pickle is a small programming language, and one of its instructions calls any function of Python.
PyTorch's `weights_only` leaves only harmless functions. But those that remain can still be asked
for 100 GB of memory in thirty bytes, or for a tensor that is larger than its data.

So we read the pickle ourselves. `torch.save` writes two dozen of its instructions, which only build
dictionaries, lists, tuples, texts and numbers. The few names of functions that it writes are
compared with a list, and what they stand for is done here. Nothing in the file is ever called.
"""

import pickletools
import stat
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor

# Bytes of the pickle at most. That of ResNet-110, with its optimizer, has 131
# thousand. A byte can become a list, which needs seventy.
MOST_STRUCTURE = 4 * 2**20

# Values in its lists and dictionaries at most. That of ResNet-110 has three thousand.
MOST_VALUES = 10**6

# The numbers that `torch.save` writes, under the names that it has for them
STORAGES = {
    "torch FloatStorage": torch.float32,
    "torch DoubleStorage": torch.float64,
    "torch HalfStorage": torch.float16,
    "torch BFloat16Storage": torch.bfloat16,
    "torch ByteStorage": torch.uint8,
    "torch CharStorage": torch.int8,
    "torch ShortStorage": torch.int16,
    "torch IntStorage": torch.int32,
    "torch LongStorage": torch.int64,
    "torch BoolStorage": torch.bool,
    # Younger kinds are written as bytes, and named later.
    "torch.storage UntypedStorage": torch.uint8,
    "torch uint16": torch.uint16,
    "torch uint32": torch.uint32,
    "torch uint64": torch.uint64,
}


class Refused(ValueError):
    """
    ## When a file is refused

    The message says what was found, and what may be there.
    """


@dataclass(frozen=True)
class _Name:
    """The name of something in Python, such as a function. It is never looked up."""

    text: str


def read(path: Path, room: int | None = None) -> Any:
    """
    ## The archive

    Returns what `torch.save` wrote to the file at `path`. Raises `Refused`, or what the parts of
    Python's library raise, if it is something else, is damaged, or has more than `room` bytes.

    PyTorch does not compress, so the parts of an archive together are not larger than the archive.
    One that claims otherwise is made to fill the memory. Each part has a checksum, which `read`
    compares: a damaged weight would be just another number.
    """
    status = path.stat()
    # To read from a pipe could take for ever.
    if not stat.S_ISREG(status.st_mode):
        raise Refused("it is not a regular file")
    if room is not None and status.st_size > room:
        raise Refused(
            f"it has {status.st_size:,} bytes, expected at most {room:,}"
        )
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
            raise Refused("its parts are compressed, expected them as they are")
        if (total := sum(part.file_size for part in parts)) > status.st_size:
            raise Refused(f"its parts claim {total:,} bytes, more than it has")
        # The name of the folder that all parts are in is up to the writer.
        records = {
            part.filename.partition("/")[2]: archive.read(part)
            for part in parts
        }
    if len(records) < len(parts):
        raise Refused("two of its parts have the same name")
    if records.get("byteorder", b"little").decode() != sys.byteorder:
        raise Refused(f"its byte order must be {sys.byteorder}")
    if "data.pkl" not in records:
        raise Refused("it holds no data.pkl, as files of torch.save do")
    structure = records["data.pkl"]
    if len(structure) > MOST_STRUCTURE:
        raise Refused(
            f"its data.pkl has {len(structure):,} bytes, expected at most "
            f"{MOST_STRUCTURE:,}"
        )
    values = build(structure, _Storages(records))
    count_values(values, {})
    return values


def count_values(value: Any, known: dict[int, int]) -> int:
    """
    ## The same list a thousand times

    A list may hold another one a thousand times, and that one a third a thousand times. In a file
    this takes 6 kB, in memory little more, but whoever looks at each entry of each list never ends.
    So the entries of `value` are counted as often as they are met: what a list holds is counted
    once, and remembered in `known`. Returns the number. Raises `Refused` if it is above
    `MOST_VALUES`, or if a list contains itself.

    >>> thousand = [0] * 1000
    >>> count_values([thousand] * 10, {})
    10011
    >>> try:
    ...     count_values([[thousand] * 1000] * 1000, {})
    ... except Refused as error:
    ...     print(error)
    it has more than 1,000,000 values
    """
    if not isinstance(value, (dict, list, tuple)):
        return 1
    if id(value) not in known:
        # A list that is met again before it has been counted contains itself.
        known[id(value)] = MOST_VALUES
        items = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(count_values(item, known) for item in items)
    if known[id(value)] > MOST_VALUES:
        raise Refused(f"it has more than {MOST_VALUES:,} values")
    return known[id(value)]


class _Storages:
    """
    ## The numbers

    The parts of the archive as tensors of one dimension. Tensors that share their memory share it
    again.
    """

    def __init__(self, records: Mapping[str, bytes]) -> None:
        self.records = records
        self.found: dict[str, Tensor] = {}

    def __call__(self, description: Any) -> Shaped[Tensor, "n"]:
        """
        The numbers that a pickle describes as `('storage', kind, key, device, n)`. The device is
        where they once were, which does not matter.
        """
        match description:
            case ("storage", _Name(kind), str(key), str(), int(n)):
                dtype = STORAGES.get(kind)
            case _:
                dtype = None
        if dtype is None:
            raise Refused("numbers of an unknown kind are in it")
        # The same numbers may be named a million times, so they are looked at once.
        known = self.found.get(key)
        if known is not None and (known.dtype, len(known)) == (dtype, n):
            return known
        if known is not None:
            raise Refused(f"data/{key} is used for numbers of two kinds")
        data = self.records.get(f"data/{key}", b"")
        if len(data) != n * dtype.itemsize:
            raise Refused(
                f"the numbers of data/{key} have {len(data):,} bytes, "
                f"expected {n * dtype.itemsize:,}"
            )
        if dtype == torch.bool and data.strip(b"\0\1"):
            raise Refused(f"data/{key} holds a truth value that is not 0 or 1")
        self.found[key] = (
            torch.frombuffer(bytearray(data), dtype=dtype)
            if data
            else torch.empty(0, dtype=dtype)
        )
        return self.found[key]


def as_tensor(
    numbers: Shaped[Tensor, "n"], offset: Any, size: Any, strides: Any
) -> Shaped[Tensor, "..."]:
    """
    ## A tensor

    Views `numbers`, from `offset` on, as a tensor of this `size`. The `strides` say how many places
    in memory lie between neighbors along each dimension. `torch.save` writes every number once,
    so the strides must be those of some order of the dimensions, and the shape has no more places
    than there are numbers. With a stride of 0, a single number could fill 100 GB.

    >>> as_tensor(torch.arange(6), 0, (2, 3), (1, 2))
    tensor([[0, 2, 4],
            [1, 3, 5]])
    >>> try:
    ...     as_tensor(torch.arange(6), 0, (10**6, 10**6), (0, 0))
    ... except Refused as error:
    ...     print(error)
    a tensor of shape [1000000, 1000000] does not fit its numbers
    """
    lengths = (offset, *size, *strides)
    if any(type(length) is not int or length < 0 for length in lengths):
        raise Refused("the shape of a tensor must be of whole numbers from 0")
    dense = 1
    for stride, n in sorted(zip(strides, size, strict=True)):
        fits = n == 1 or stride == dense
        dense *= n if fits else len(numbers) + 1
    if len(size) > 16 or (0 not in size and offset + dense > len(numbers)):
        raise Refused(
            f"a tensor of shape {list(size)[:16]} does not fit its numbers"
        )
    if 0 in size:
        return numbers.new_empty(size)
    return numbers.as_strided(size, strides, offset)


def _call(name: Any, arguments: Any) -> Any:
    """
    ## The four functions

    What the functions do that `torch.save` names, those for ordered dictionaries, tensors and
    parameters.
    """
    match name, arguments:
        case _Name("collections OrderedDict"), ():
            return {}
        case (
            _Name("torch._utils _rebuild_tensor_v2"),
            (Tensor() as numbers, offset, tuple(size), tuple(strides), *_),
        ):
            return as_tensor(numbers, offset, size, strides)
        case (
            _Name("torch._utils _rebuild_tensor_v3"),
            (
                Tensor() as numbers,
                offset,
                tuple(size),
                tuple(strides),
                _,
                _,
                _Name(kind),
                *_,
            ),
        ) if kind in STORAGES:
            dtype = STORAGES[kind]
            if len(numbers) * numbers.itemsize % dtype.itemsize:
                raise Refused("a number is cut off")
            return as_tensor(numbers.view(dtype), offset, size, strides)
        case _Name("torch._utils _rebuild_parameter"), (Tensor() as data, *_):
            return data
    what = name.text if isinstance(name, _Name) else "what is not a name"
    raise Refused(f"{what[:100]!r} may not be called")


def build(
    structure: bytes, storages: Callable[[Any], Shaped[Tensor, "n"]]
) -> Any:
    """
    ## The pickle

    Follows the instructions in `structure` and returns what they build. `storages` returns the
    numbers that are described to it.

    The machine that pickle is written for has a stack, on which values are put and put together,
    and a memo, where they are noted to be used again.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    marks: list[int] = []

    def above_mark() -> list[Any]:
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    def put(pairs: list[Any]) -> None:
        target = stack[-1]
        keys, values = pairs[::2], pairs[1::2]
        # The hash of a tuple is computed anew each time. Tuples of tuples of tuples, all the same
        # two, would take for ever.
        if type(target) is not dict or any(
            type(key) not in (str, int) for key in keys
        ):
            raise Refused("keys must be texts or whole numbers")
        target.update(zip(keys, values, strict=True))

    for instruction, argument, _ in pickletools.genops(structure):
        match instruction.name:
            case "PROTO":
                pass
            case "MARK":
                marks.append(len(stack))
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(instruction.name == "NEWTRUE")
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT":
                stack.append(argument)
            case "BINUNICODE":
                stack.append(argument)
            case "GLOBAL":
                stack.append(_Name(str(argument)))
            case "BINPUT" | "LONG_BINPUT":
                memo[int(str(argument))] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[int(str(argument))])
            case "TUPLE":
                stack.append(tuple(above_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                n = int(instruction.name[-1])
                stack[-n:] = [tuple(stack[-n:])]
            case "APPEND" | "APPENDS":
                is_one = instruction.name == "APPEND"
                items = [stack.pop()] if is_one else above_mark()
                if type(stack[-1]) is not list:
                    raise Refused("only a list can be added to")
                stack[-1].extend(items)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                put([key, value])
            case "SETITEMS":
                put(above_mark())
            case "BINPERSID":
                stack.append(storages(stack.pop()))
            case "REDUCE":
                arguments, name = stack.pop(), stack.pop()
                stack.append(_call(name, arguments))
            case "BUILD":
                # Notes of PyTorch about versions of layers. A model has its own.
                stack.pop()
            case "STOP":
                break
            case other:
                raise Refused(f"torch.save never writes {other}")
    (value,) = stack
    return value
