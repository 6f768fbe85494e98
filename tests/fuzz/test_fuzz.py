"""Any bytes, and valid files with damaged bytes: nothing but our own errors, and no row lost."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fuzz.targets import TARGETS, seeds

TOKENS = [
    b'"',
    b"'",
    b",",
    b";",
    b"\t",
    b"|",
    b"\n",
    b"\r",
    b"\r\n",
    b'""',
    b"\\",
    b"\0",
    b"\xff",
    b"\xc3",
    b"sep=;",
    b" ",
]
FAST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LONG = settings(max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def damaged(draw: st.DrawFn, target: str) -> bytes:
    """A valid input with some of its bytes removed, doubled or replaced; sometimes any bytes at all."""
    content = bytearray(draw(st.one_of(st.sampled_from(seeds(target)), st.binary(max_size=200))))
    for _count in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(content)))
        end = at + draw(st.integers(0, 6))
        content[at:end] = draw(
            st.one_of(st.sampled_from(TOKENS), st.binary(max_size=6), st.just(bytes(content[at:end]) * 2))
        )
    return bytes(content)


def run(target: str, data: st.DataObject) -> None:
    TARGETS[target](data.draw(damaged(target)))


@pytest.mark.parametrize("target", TARGETS)
@FAST
@given(data=st.data())
def test_nothing_but_our_own_errors(target: str, data: st.DataObject) -> None:
    run(target, data)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@LONG
@given(data=st.data())
def test_nothing_but_our_own_errors_at_length(target: str, data: st.DataObject) -> None:
    run(target, data)


@pytest.mark.parametrize("target", TARGETS)
def test_the_seeds_are_accepted(target: str) -> None:
    for content in seeds(target):
        TARGETS[target](content)
