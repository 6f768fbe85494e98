"""Clean tables to damage: a header and rows of text, each seen in one kind of real file."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table whose truth is known. ``required`` are headers that a caller would ask for; ``kind`` its maker."""

    kind: str
    header: list[str]
    rows: list[list[str]]


_STREETS = ["12 rue de la Paix", "Plot 7, Sector 3", "88 Nguyễn Huệ, Q.1", "Calle 5 No. 3-21", "Öster Allé 4", ""]
_WORDS = [
    "ring",
    "steel",
    "cotton",
    "fabric",
    "blue",
    "large",
    "sample",
    "spare",
    "cover",
    "filter",
    "pump",
    "valve",
    "cable",
    "yarn",
    "dye",
    "zip",
    "thread",
    "hinge",
]
_FORMS = ["Ltd", "SARL", "Co., Ltd", "GmbH"]
_NOTES = ["", "ok", "see note", 'called "urgent"', "first, then second", "line one\nline two", "50 % off", "l'été"]


def suppliers(rng: random.Random, rows: int) -> Table:
    """Sites as vigilance wants them."""
    countries = ["France", "Viet Nam", "IN", "BGD", "Türkiye", "Chine", "Maroc", "Thailand"]
    made = [
        [
            f"S-{index:04d}",
            f"{rng.choice(_WORDS).title()} {rng.choice(_WORDS)} {rng.choice(_FORMS)} {index}",
            rng.choice(countries),
            rng.choice(_STREETS),
            rng.choice(["Textiles", "13", "Growing of cotton", "C14"]),
            str(rng.randint(1, 4)),
            str(rng.randint(5, 5000)),
        ]
        for index in range(rows)
    ]
    return Table("suppliers", ["supplier_id", "name", "country", "address", "activity", "tier", "workers"], made)


def sales(rng: random.Random, rows: int) -> Table:
    """Dates, times, amounts, codes, links and remarks; no blank header."""
    made = [
        [
            f"{rng.randint(1, 28):02d}/{rng.randint(1, 12):02d}/2024",
            f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:00",
            str(rng.randint(1, 400)),
            f"{rng.choice('ABC')}{rng.randint(100, 999)}-{rng.choice('XYZ')}",
            f"{rng.randint(1, 900)}.{rng.randint(0, 99):02d}",
            rng.choice(["Tools", "Garden", "Parts, spare", "Home"]),
            " ".join(rng.sample(_WORDS, 4)) + rng.choice(["", ', 5" wide', " - new; boxed"]),
            f"https://example.org/item?id={rng.randint(1, 9999)}",
            rng.choice(_NOTES),
        ]
        for _ in range(rows)
    ]
    header = ["DATE", "TIME", "Qty", "ITEM", "Price", "Kind", "Description", "Link", "Comments"]
    return Table("sales", header, made)


def books(rng: random.Random, rows: int) -> Table:
    """Mostly text."""
    made = [
        [
            " ".join(rng.sample(_WORDS, 3)).title() + rng.choice(["", ": a history", ", vol. 2"]),
            rng.choice(["Doe, Jane", "Roe, R.", "Ng, Wei", "Ana María", "Лев Толстой"]),
            str(rng.randint(1950, 2024)),
            rng.choice(["paper", "e-book", ""]),
        ]
        for _ in range(rows)
    ]
    return Table("books", ["Title", "Author", "Year", "Format"], made)


def sensors(rng: random.Random, rows: int) -> Table:
    """Numbers only, under names."""
    made = [
        [f"2024-03-{1 + index % 28:02d} {index % 24:02d}:00", *(f"{rng.uniform(-5, 40):.2f}" for _ in range(11))]
        for index in range(rows)
    ]
    return Table("sensors", ["time", *(f"probe {letter}" for letter in "ABCDEFGHIJK")], made)


def people(rng: random.Random, rows: int) -> Table:
    """Few columns, long remarks, empty cells."""
    made = [
        [
            str(1000 + index),
            rng.choice(["Ann", "Bob", "Zoë", "李"]),
            rng.choice(["", "yes", "no"]),
            rng.choice(_NOTES[:4]),
        ]
        for index in range(rows)
    ]
    return Table("people", ["id", "first name", "member", "remark"], made)


def prices(rng: random.Random, rows: int) -> Table:
    """Decimal commas, thousands separators, dates in words: a file for semicolons."""
    made = [
        [
            rng.choice(_WORDS),
            f"{rng.randint(1, 999)},{rng.randint(0, 99):02d}",
            f"{rng.randint(1, 9)} {rng.randint(0, 999):03d}",
            f"{rng.randint(1, 28)} mars 2024",
        ]
        for _ in range(rows)
    ]
    return Table("prices", ["article", "prix", "stock", "depuis"], made)


MAKERS = {
    "suppliers": suppliers,
    "sales": sales,
    "books": books,
    "sensors": sensors,
    "people": people,
    "prices": prices,
}


def make(kind: str, rows: int = 20, seed: int = 1) -> Table:
    """A clean table of one kind."""
    return MAKERS[kind](random.Random(f"{kind}{seed}"), rows)
