"""Packing: what comes back is the same to the last bit, in memory order too; nothing else is made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vigilance.packing import PackError, pack, unpack
from vigilance.scoring.listings import Grid
from vigilance.terms import Hazard


def round_trip(value: Any, known: Mapping[str, object] | None = None) -> Any:
    return unpack(pack(value, known or {}), known or {})


def headed(node: Any) -> bytes:
    head = json.dumps(node).encode()
    return len(head).to_bytes(8, "little") + head


KINDS: st.SearchStrategy[np.dtype[Any]] = st.sampled_from([np.dtype(kind) for kind in ("f8", "i1", "i8", "?", "U3")])


@given(arrays.arrays(KINDS, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0)), st.data())
def test_an_array_comes_back_bit_by_bit(array: np.ndarray[Any, Any], data: st.DataObject) -> None:
    axes = data.draw(st.permutations(range(array.ndim)))
    given_ = np.asarray(array.transpose(axes))
    found = round_trip(given_)
    assert (found.dtype, found.shape) == (given_.dtype, given_.shape)
    assert found.tobytes() == given_.tobytes()
    assert found.flags.writeable
    assert found.flags.aligned
    if 0 not in given_.shape and 1 not in given_.shape:
        assert found.flags.f_contiguous == given_.flags.f_contiguous
        assert found.flags.c_contiguous == given_.flags.c_contiguous


def test_repeated_rows_are_kept_once() -> None:
    rows = np.random.default_rng(1).normal(size=(3, 500))
    tall = rows[np.arange(400) % 3]
    assert len(pack(tall, {})) < tall.nbytes / 50
    assert round_trip(tall).tobytes() == tall.tobytes()
    assert round_trip(tall[:, ::-1]).tobytes() == tall[:, ::-1].tobytes()


@given(st.floats() | st.integers() | st.text() | st.none() | st.booleans() | st.dates())
def test_plain_values_come_back(value: Any) -> None:
    found = round_trip({"key": (value, [value])})["key"]
    assert isinstance(found, tuple)
    assert repr(found) == repr((value, [value]))
    assert type(found[0]) is type(value)


def test_numbers_of_numpy_stay_numbers_of_numpy() -> None:
    found = round_trip(np.float64(0.1))
    assert type(found) is np.float64
    assert found == np.float64(0.1)


def test_dataclasses_enumerations_tables_and_named_objects() -> None:
    grid = Grid(np.array(["BGD", "FRA"]), np.array(["00", "13"]))
    frame = nw.from_native(pl.DataFrame({"a": [1.5, None], "b": ["x", None], "c": [date(2026, 11, 1), None]}))
    known = {"mine": object()}
    found = round_trip({Hazard.FORCED_LABOUR: (grid, frame, known["mine"])}, known)
    (hazard,) = found
    assert hazard is Hazard.FORCED_LABOUR
    assert isinstance(found[hazard][0], Grid)
    assert found[hazard][0].countries.tolist() == ["BGD", "FRA"]
    assert found[hazard][1].to_native().equals(frame.to_native())
    assert found[hazard][2] is known["mine"]


@dataclass
class Foreign:
    value: int


@pytest.mark.parametrize("value", [Foreign(1), object(), {1, 2}, np.array([object()]), lambda: 1, Grid])
def test_nothing_else_is_packed(value: object) -> None:
    with pytest.raises(PackError):
        pack(value, {})


@pytest.mark.parametrize(
    "node",
    [
        ["call", "os:system"],
        ["of", "os:_Environ", {}],
        ["of", "vigilance.reference:load", {}],
        ["of", "vigilance.cli.group:LazyGroup", {}],
        ["of", "vigilance.absent:Thing", {}],
        ["enum", "vigilance.scoring.listings:Grid", 1],
    ],
)
def test_nothing_else_is_made(node: Any) -> None:
    with pytest.raises(PackError):
        unpack(headed(node), {})
