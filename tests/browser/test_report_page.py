"""The page of a run in a real browser: it loads nothing, says no error, and sorts, searches, filters and explains.

Run with ``pytest -m browser``. Needs Chromium; axe-core is used where ``AXE_CORE`` names its ``axe.min.js``.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from vigilance import pipeline, reference, rules
from vigilance.report import write

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = pytest.mark.browser

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ON = date(2026, 11, 1)
PLACES = [
    ("Bangladesh", "Wearing apparel"),
    ("France", "Retail trade"),
    ("Malaysia", "Rubber products"),
    ("India", "Cotton"),
]
EVIL = [
    "<script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=2">',
    "</script><script>window.hacked=3</script>",
    "=HYPERLINK(1)",
    "\u202egnp.exe",
    "Long " * 1000,
]


def pages(folder: Path, sites: int, lang: str) -> Path:
    """The page of a run of so many sites, the first of them with names that attack."""
    source = folder / "suppliers.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["supplier_id", "name", "country", "activity", "tier", "workers", "migrant_share", "piece_rate"])
        for n in range(sites):
            country, activity = PLACES[n % len(PLACES)]
            name = EVIL[n] if n < len(EVIL) else f"Usine {n}"
            rows.writerow([f"S-{n:05d}", name, country, activity, n % 5 or "", 20 + n % 700, n % 10 / 10, "true"])
    job = pipeline.Job(inputs=[source], on=ON, out=folder / "run", csv=False)
    run = pipeline.score(job, reference.load().in_force(ON), rules.load().in_force(ON)).run
    (made,) = write(run, ["html"], lang=lang, out=folder / "report").files
    return made


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as engine:
        found = engine.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pages(tmp_path_factory.mktemp("small"), 120, "en")


class Watched:
    """A page, and everything that it said or asked for."""

    def __init__(self, browser: Any, path: Path, width: int = 1440, scheme: str = "light") -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
        self.page = context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda m: self.said.append(m.text) if m.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        started = time.perf_counter()
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("body[data-interactive]")
        self.interactive = time.perf_counter() - started
        self.page.wait_for_selector("body[data-ready]")

    def column(self, number: int) -> list[str]:
        """The texts of a column of the list as shown."""
        return list(self.page.locator(f"#sites tbody tr td:nth-child({number})").all_inner_texts())

    def close(self) -> None:
        """Close, after checking that nothing was said, asked for or run."""
        assert self.said == []
        assert [url for url in self.asked if not url.startswith(("file:", "data:"))] == []
        assert len([url for url in self.asked if url.startswith("file:")]) == 1
        assert self.page.evaluate("window.hacked") is None
        self.page.context.close()


@pytest.fixture
def shown(browser: Any, small: Path) -> Iterator[Watched]:
    watched = Watched(browser, small)
    yield watched
    watched.close()


def test_the_charts_are_drawn_and_follow_the_hazard(shown: Watched) -> None:
    for chart in ("map", "heat", "tiers"):
        assert shown.page.locator(f"#chart-{chart} svg").count() == 1
    before = shown.page.locator("#chart-tiers svg").inner_html()
    bands = shown.column(6)
    shown.page.check("input[value=child_labour]")
    shown.page.wait_for_function(
        "before => document.querySelector('#chart-tiers svg').innerHTML !== before", arg=before, timeout=5000
    )
    assert shown.column(6) != bands


def test_names_are_text(shown: Watched) -> None:
    shown.page.fill("#q", "S-00000")
    playwright.expect(shown.page.locator("#sites tbody tr")).to_have_count(1)
    assert EVIL[0] in shown.column(2)[0]
    shown.page.fill("#q", "S-00005")
    playwright.expect(shown.page.locator("#sites tbody")).to_contain_text("S-00005")
    assert len(shown.column(2)[0]) < 300


def test_the_list_sorts_by_every_column(shown: Watched) -> None:
    for number in range(1, 10):
        head = shown.page.locator(f"#sites th:nth-child({number}) button")
        first, second = (head.click() or shown.column(number)[:20] for _ in range(2))
        state = shown.page.locator(f"#sites th:nth-child({number})").get_attribute("aria-sort")
        assert state in {"ascending", "descending"}
        if number in {2, 3, 4}:
            assert first != second
    shown.page.locator("#sites th:nth-child(3) button").click()
    countries = shown.column(3)
    assert countries == sorted(countries)


def test_the_list_is_searched_and_filtered(shown: Watched) -> None:
    shown.page.fill("#q", "bangladesh apparel")
    playwright.expect(shown.page.locator("#count")).to_have_text("30 of 120 sites")
    assert set(shown.column(3)) == {"Bangladesh"}
    shown.page.click("#filters button[type=reset]")
    playwright.expect(shown.page.locator("#count")).to_have_text("120 of 120 sites")
    shown.page.select_option("#f-country", label="France")
    assert shown.page.inner_text("#count") == "30 of 120 sites"
    shown.page.select_option("#f-tier", label="2 transformation of materials")
    assert set(shown.column(5)) == {"2"}
    shown.page.fill("#q", "no such site at all")
    playwright.expect(shown.page.locator("#sites tbody tr")).to_have_count(0)
    assert shown.page.inner_text("#count") == "No site fits this search."


def test_pages_turn(shown: Watched) -> None:
    first = shown.column(2)
    assert len(first) == 50
    shown.page.click("#next")
    assert not set(first) & set(shown.column(2))
    shown.page.click("#last")
    assert len(shown.column(2)) == 20
    assert shown.page.is_disabled("#next")


def test_a_site_is_explained_by_keyboard_and_its_lines_multiply_to_its_score(shown: Watched) -> None:
    page = shown.page
    button = page.locator("#sites tbody button").first
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#wf-forced_labour svg")
    page.wait_for_selector("#wf-child_labour svg")
    for part in page.locator("#site-body section").all():
        product, written = (float(part.get_attribute(f"data-{name}")) for name in ("product", "written"))
        assert product == pytest.approx(written, rel=3e-3, abs=2e-5)
    page.locator("#site-body summary").first.click()
    lines = page.locator("#site-body details").first.locator("tbody tr")
    assert lines.count() >= 15
    assert all(", 20" in text for text in lines.locator("td:last-child").all_inner_texts())
    page.keyboard.press("Escape")
    assert not page.locator("#site").evaluate("dialog => dialog.open")
    assert button.evaluate("b => document.activeElement === b")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_fits(browser: Any, small: Path, width: int, scheme: str) -> None:
    watched = Watched(browser, small, width, scheme)
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
    axe = os.environ.get("AXE_CORE")
    if axe:
        faults = serious(watched.page, Path(axe))
        watched.page.locator("#sites tbody button").first.click()
        watched.page.wait_for_selector("#wf-child_labour svg")
        faults += serious(watched.page, Path(axe))
        assert faults == []
    watched.close()


def serious(page: Any, axe: Path) -> list[str]:
    """Serious and critical faults that axe-core finds."""
    page.evaluate(axe.read_text(encoding="utf-8"))
    found = json.loads(page.evaluate("axe.run().then(found => JSON.stringify(found.violations))"))
    return [
        f"{fault['id']}: {node['html'][:120]} {node['any'][0]['message'][:160] if node['any'] else ''}"
        for fault in found
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"]
    ]


def test_ten_thousand_sites_are_small_and_quick(browser: Any, tmp_path: Path) -> None:
    page = pages(tmp_path, 10_000, "fr")
    assert page.stat().st_size < 8_000_000
    watched = Watched(browser, page)
    assert watched.interactive < 2.0
    assert watched.page.inner_text("#count").replace("\u202f", " ") == "10 000 sites sur 10 000"
    watched.close()
