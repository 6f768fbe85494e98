"""The store of weekly runs: one DuckDB file, append-only, hash-chained; a run appears in it whole or not at all.

    with opened(path, write=True) as store:
        store.commit(record, tables, blobs)

``lock`` serialises runs, ``file`` opens and verifies, ``chain`` seals records, ``frames`` digests and packs,
``weekly`` is the weekly run, ``replay`` makes a past one again, ``upkeep`` checks, exports, compacts and backs up.
"""
