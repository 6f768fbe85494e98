"""Vocabularies of ingest, compiled from Babel's CLDR data and from the alias lists beside them.

``python -m vigilance.ingest.vocabulary.build`` writes ``countries.json`` and ``headers.json`` again; a test fails when
they are stale.
"""
