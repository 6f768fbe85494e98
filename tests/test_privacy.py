"""Small cells never leave a run."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import polars as pl

from vigilance import privacy


def test_counts_under_five_go_with_what_would_give_them_away() -> None:
    frame = pl.DataFrame(
        {"place": list("abcd"), "people": [0, 4, 5, None], "women": [0, 2, 5, 7], "share": [0.0, 0.5, 1.0, 0.1]}
    )
    found = privacy.suppress(nw.from_native(frame, eager_only=True), ["people", "women"], ["share"]).to_native()
    assert found.rows() == [("a", 0, 0, 0.0), ("b", None, None, None), ("c", 5, 5, 1.0), ("d", None, 7, 0.1)]


def test_one_small_count_hides_the_others_of_its_row() -> None:
    frame = pl.DataFrame({"all": [100], "women": [97], "men": [3]})
    found = privacy.suppress(nw.from_native(frame.lazy()), ["all", "women", "men"]).collect().to_native()
    assert found.row(0) == (None, None, None)
