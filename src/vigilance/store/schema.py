"""The tables of a store and how an older store becomes a newer one, always forward.

``MIGRATIONS[n]`` brings a store of version n to n + 1; a new store starts at 0. They are never edited, only added to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vigilance.alerts.compare import LEDGER
from vigilance.alerts.decide import DECIDED
from vigilance.alerts.sites import SITES

if TYPE_CHECKING:
    import polars as pl

APPLICATION: Final = "vigilance-store"

RUN: Final = "run"
"""A record of a run: its inputs, rules, facts, code, outputs, and what it was compared to."""
DELIVERY: Final = "delivery"
"""A record that the outputs of a run have been handed over."""
SUPPRESSION: Final = "suppression"
"""A record that a person asked to hear no more of an alert, with reason and end."""

TABLES: Final[dict[str, pl.Schema]] = {"sites": SITES, "ledger": LEDGER, "alerts": DECIDED}
"""The tables of which each run adds rows; each row is stored with the number of its record (``run``)."""

_FIRST: Final = """
CREATE TABLE about (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL);
CREATE TABLE records (
  seq BIGINT PRIMARY KEY, kind VARCHAR NOT NULL, week VARCHAR NOT NULL, revision INTEGER NOT NULL,
  body VARCHAR NOT NULL, previous VARCHAR NOT NULL, digest VARCHAR NOT NULL
);
CREATE TABLE blobs (digest VARCHAR PRIMARY KEY, bytes BIGINT NOT NULL, content BLOB NOT NULL);
CREATE TABLE outbox (run BIGINT NOT NULL, folder VARCHAR NOT NULL);
CREATE TABLE sites (
  run BIGINT, row BIGINT, supplier_id VARCHAR, predecessor_id VARCHAR, parent VARCHAR, lei VARCHAR, country VARCHAR,
  division VARCHAR, zone VARCHAR, tier TINYINT, workers DOUBLE, migrant_share DOUBLE, factors INTEGER, since DATE,
  forced_labour_score BIGINT, forced_labour_p80 BIGINT, forced_labour_band TINYINT, forced_labour_grade TINYINT,
  forced_labour_override VARCHAR, forced_labour_held TINYINT, forced_labour_told BIGINT,
  child_labour_score BIGINT, child_labour_p80 BIGINT, child_labour_band TINYINT, child_labour_grade TINYINT,
  child_labour_override VARCHAR, child_labour_held TINYINT, child_labour_told BIGINT
);
CREATE TABLE ledger (
  run BIGINT, supplier_id VARCHAR, hazard VARCHAR, kind VARCHAR, before BIGINT, after BIGINT,
  data BIGINT, facts BIGINT, code BIGINT, weights BIGINT, time BIGINT
);
CREATE TABLE alerts (
  run BIGINT, id VARCHAR, fingerprint VARCHAR, rule VARCHAR, hazard VARCHAR, level VARCHAR, place VARCHAR,
  object VARCHAR, proven BOOLEAN, measure BIGINT, urgency BIGINT, state VARCHAR, sent BOOLEAN, held VARCHAR,
  first_week VARCHAR, told_week VARCHAR, sites BIGINT, detail VARCHAR,
  before BIGINT, after BIGINT, data BIGINT, facts BIGINT, code BIGINT, weights BIGINT, time BIGINT
);
"""

MIGRATIONS: Final[tuple[str, ...]] = (_FIRST,)
VERSION: Final = len(MIGRATIONS)
