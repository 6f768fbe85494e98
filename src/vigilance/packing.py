"""Dataclasses of arrays and tables as bytes and back, to the last bit, without running anything that is read.

A packed value is the length of a head, the head (JSON: which dataclass holds what), then the bytes of arrays and tables
that the head points to. Arrays keep their type, their shape and the order of their axes in memory, so that what is
computed from them comes out the same; repeated rows are kept once.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[Any]

HOLDERS: Final = "vigilance."
"""Only dataclasses and enumerations of this package, already imported, are made again."""
_HEAD: Final = 8
_PLAIN: Final = (str, int, float, bool, type(None))
_WORTH: Final = 4096
"""Bytes of an array from which repeated rows are looked for."""


class PackError(TypeError):
    """A value of a kind that cannot be packed, or a head that speaks of one."""


def pack(value: Any, given: Mapping[str, object]) -> bytes:
    """A value as bytes: dataclasses, enumerations, arrays, narwhals frames, mappings, sequences, dates, plain values.

    ``given`` are objects that are only named: whoever unpacks has them. Raises ``PackError`` for any other.
    """
    packer = _Packer({id(known): name for name, known in given.items()})
    head = json.dumps(packer.node(value), ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join([len(head).to_bytes(_HEAD, "little"), head, *packer.blobs])


def unpack(content: bytes, given: Mapping[str, object]) -> Any:
    """The value that ``pack`` was given. Trusts that the content is whole; raises ``PackError`` where it cannot be."""
    size = int.from_bytes(content[:_HEAD], "little")
    head = json.loads(content[_HEAD : _HEAD + size])
    return _Unpacker(memoryview(content)[_HEAD + size :], given).value(head)


@dataclass(slots=True)
class _Packer:
    given: Mapping[int, str]
    blobs: list[bytes] = field(default_factory=list)
    size: int = 0

    def node(self, value: Any) -> Any:
        """A value as JSON: plain ones as they are, any other as a list whose first item says what it is."""
        if id(value) in self.given:
            return ["given", self.given[id(value)]]
        if type(value) in _PLAIN:
            return value
        for kind, pack_one in _PACKED.items():
            if isinstance(value, kind):
                return pack_one(self, value)
        if is_dataclass(value):
            return ["of", _name(type(value)), {f.name: self.node(getattr(value, f.name)) for f in fields(value)}]
        raise PackError(f"cannot be packed: {type(value).__name__}")

    def items(self, values: Iterable[Any]) -> list[Any]:
        """Values as JSON."""
        return [self.node(value) for value in values]

    def table(self, frame: nw.DataFrame[Any]) -> list[Any]:
        """A frame as a blob in the Arrow format."""
        buffer = io.BytesIO()
        frame.to_polars().write_ipc(buffer)
        return ["table", self._blob(buffer.getvalue())]

    def array(self, array: Array, kind: str = "array") -> list[Any]:
        """An array as a blob, with the order of its axes in memory, the slowest first."""
        if array.dtype.hasobject:
            raise PackError("cannot be packed: an array of objects")
        order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
        plain = np.asarray(array.transpose(order), order="C")
        kept, index = _distinct_rows(plain)
        places = None if index is None else self._blob(index.tobytes())
        return [kind, array.dtype.str, plain.shape, order, self._blob(kept.tobytes()), places]

    def _blob(self, content: bytes) -> list[int]:
        self.blobs.append(content)
        self.size += len(content)
        return [self.size - len(content), len(content)]


_PACKED: Final[Mapping[type, Callable[[_Packer, Any], Any]]] = {
    Enum: lambda _packer, value: ["enum", _name(type(value)), value.value],
    np.generic: lambda packer, value: packer.array(np.asarray(value), "scalar"),
    np.ndarray: lambda packer, value: packer.array(value),
    date: lambda _packer, value: ["date", value.isoformat()],
    tuple: lambda packer, value: ["tuple", packer.items(value)],
    list: lambda packer, value: ["list", packer.items(value)],
    dict: lambda packer, value: ["dict", packer.items(value), packer.items(value.values())],
    nw.DataFrame: lambda packer, value: packer.table(value),
}


@dataclass(slots=True)
class _Unpacker:
    blobs: memoryview
    given: Mapping[str, object]

    def value(self, node: Any) -> Any:
        """The value of a node of the head."""
        if not isinstance(node, list):
            return node
        kind, *said = node
        if kind not in _UNPACKED:
            raise PackError(f"cannot be unpacked: {kind!r}")
        return _UNPACKED[kind](self, *said)

    def items(self, nodes: Iterable[Any]) -> list[Any]:
        """The values of nodes."""
        return [self.value(node) for node in nodes]

    def table(self, place: Sequence[int]) -> nw.DataFrame[Any]:
        """A frame from its blob."""
        return nw.from_native(pl.read_ipc(io.BytesIO(self._bytes(place))), eager_only=True)

    def array(self, kind: str, shape: Sequence[int], order: Sequence[int], at: Sequence[int], places: Any) -> Array:
        """An array from its blob: a copy, aligned and writable as any other."""
        kept = np.frombuffer(self._bytes(at), dtype=np.dtype(kind))
        if places is None:
            plain = kept.reshape(shape).copy()
        else:
            plain = kept.reshape(-1, *shape[1:])[np.frombuffer(self._bytes(places), dtype=np.uint16)]
        return plain.transpose(np.argsort(order)) if order else plain

    def made(self, name: str, said: Mapping[str, Any]) -> Any:
        """A dataclass from its fields."""
        return _class(name, object)(**{field_: self.value(node) for field_, node in said.items()})

    def _bytes(self, place: Sequence[int]) -> memoryview:
        start, size = place
        return self.blobs[start : start + size]


_UNPACKED: Final[Mapping[str, Callable[..., Any]]] = {
    "given": lambda unpacker, name: unpacker.given[name],
    "enum": lambda _unpacker, name, value: _class(name, Enum)(value),
    "scalar": lambda unpacker, *said: unpacker.array(*said)[()],
    "array": _Unpacker.array,
    "date": lambda _unpacker, text: date.fromisoformat(text),
    "tuple": lambda unpacker, nodes: tuple(unpacker.items(nodes)),
    "list": _Unpacker.items,
    "dict": lambda unpacker, keys, values: dict(zip(unpacker.items(keys), unpacker.items(values), strict=True)),
    "table": _Unpacker.table,
    "of": _Unpacker.made,
}


def _distinct_rows(array: Array) -> tuple[Array, Array | None]:
    """The distinct rows of an array in order of occurrence and each row's place among them, where that is smaller."""
    if array.ndim < 2 or array.nbytes < _WORTH or len(array) > np.iinfo(np.uint16).max:
        return array, None
    places: dict[bytes, int] = {}
    index = np.array([places.setdefault(row.tobytes(), len(places)) for row in array], dtype=np.uint16)
    if len(places) * 2 > len(array):
        return array, None
    return array[np.unique(index, return_index=True)[1]], index


def _name(kind: type) -> str:
    if not kind.__module__.startswith(HOLDERS) or kind.__qualname__ != kind.__name__:
        raise PackError(f"cannot be packed: {kind.__module__}.{kind.__qualname__}")
    return f"{kind.__module__}:{kind.__name__}"


def _class(name: str, parent: type) -> Any:
    module, _colon, member = name.partition(":")
    found = getattr(sys.modules.get(module), member, None) if module.startswith(HOLDERS) else None
    if not isinstance(found, type) or not issubclass(found, parent) or not (is_dataclass(found) or parent is Enum):
        raise PackError(f"cannot be unpacked: {name}")
    return found
