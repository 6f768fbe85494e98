"""Every format: names stay text, the same run gives the same bytes, both languages."""

import base64
import hashlib
import io
import json
import re
import shutil
import sys
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pypdf
import pytest

from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import use
from vigilance.report import pdf, reports, write
from vigilance.report.material import Material
from vigilance.report.writers import Request, find
from vigilance.run import Run, open_run

sys.path.insert(0, str(Path(__file__).parent))
from attacks import EVIL, LONG, READERS


class Page(HTMLParser):
    """Text, tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        (self.scripts if self._inside == "script" else self.text).append(data)


Made = Callable[[str, str, str], bytes]


@pytest.fixture(scope="module")
def made(material: Material) -> Made:
    """Reports by format, reader and language; each is made once."""

    @cache
    def make(extension: str, reader: str, lang: str) -> bytes:
        with use(lang):
            return find(extension)(Request(material, reports.document(material, reader), reader))

    return make


@pytest.mark.parametrize("reader", READERS)
def test_html_loads_nothing_and_runs_no_name(made: Made, reader: str, lang: str) -> None:
    text = made("html", reader, lang).decode()
    page = Page()
    page.feed(text)
    assert f'lang="{lang}"' in text
    assert page.tags.count("script") == (3 if reader == "csr" else 0)
    loads = [v for n, v in page.attributes if n in {"src", "srcset", "data", "background", "poster"}]
    assert all(value.startswith("data:") for value in loads)
    assert not any(name.startswith("on") for name, _value in page.attributes)
    assert any("default-src 'none'" in value for _name, value in page.attributes)
    assert EVIL["NO-1"] not in text
    assert "<img src=x" not in text
    assert "\u202e" not in text
    assert LONG not in text


def test_the_data_of_the_page_hold_every_site_as_text(made: Made) -> None:
    page = Page()
    page.feed(made("html", "csr", "en").decode())
    data = json.loads(page.scripts[0])
    assert data["sites"]["name"][0] == EVIL["NO-1"]
    assert len(data["sites"]["id"]) == 8
    assert {len(column) for column in data["scores"]["forced_labour"].values()} == {8}


def test_the_policy_allows_the_very_scripts_of_the_page(made: Made) -> None:
    page = Page()
    text = made("html", "csr", "en").decode()
    page.feed(text)
    policy = next(v for n, v in page.attributes if n == "content" and "script-src" in v)
    for script in re.findall(r"<script>(.*?)</script>", text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]


@pytest.mark.parametrize("reader", READERS)
def test_a_workbook_holds_no_formula_and_no_link(made: Made, reader: str) -> None:
    content = made("xlsx", reader, "fr")
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink]
    dangerous = re.compile(r"^\s*[=+@\-]")
    assert not [c.value for c in cells if isinstance(c.value, str) and dangerous.match(c.value)]
    assert "Méthode" in book.sheetnames


def test_the_workbook_of_a_run(made: Made) -> None:
    content = made("xlsx", "csr", "fr")
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Résumé", "Classes", "Sites", "Problèmes", "Rapports et sources", "Pays", "Méthode"]
    sheet = book["Sites"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref
    assert sheet.conditional_formatting
    header = [cell.value for cell in sheet[1]]
    p80 = sheet.cell(2, header.index("P80") + 1)
    assert isinstance(p80.value, float)
    assert p80.number_format == "0.0%"
    assert {row[0].value for row in sheet.iter_rows(min_row=2)} == {*EVIL, "IN-1", "TM-1"}
    assert len(book["Rapports et sources"]["A"]) > 8 * 30


@pytest.mark.parametrize("reader", READERS)
def test_markdown_holds_no_markup_of_a_name(made: Made, reader: str, lang: str) -> None:
    text = made("md", reader, lang).decode()
    assert "<script>" not in text
    assert "<img" not in text
    assert "http://example.com" not in text
    assert "\u202e" not in text


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["supplier:BD-1", "regulator:csddd"])
def test_pdf_is_text_and_stable(run: Run, reader: str, tmp_path: Path) -> None:
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed", exc_type=(ImportError, OSError))
    one, two = (write(run, ["pdf"], reader, out=tmp_path / name).files[0].read_bytes() for name in ("one", "two"))
    assert one == two
    pages = pypdf.PdfReader(io.BytesIO(one)).pages
    text = "".join(page.extract_text() for page in pages)
    assert "What is weak" in text
    if reader.startswith("supplier"):
        assert len(pages) == 1


def test_without_an_engine_the_pdf_says_what_to_install(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "has_weasyprint", lambda: False)
    monkeypatch.setattr(pdf, "browser", lambda: None)
    with pytest.raises(UsageError, match="WeasyPrint"):
        write(run, ["pdf"], "board", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_same_run_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    formats = ["html", "xlsx", "md"]
    first, second = (write(open_run(run.path), formats, "csr", lang="fr", out=tmp_path / n) for n in ("one", "two"))
    for one, two in zip(first.files, second.files, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name
    again = write(run, ["html", "xlsx", "md"], "csr", lang="fr", out=tmp_path / "one")
    assert again.already


def test_a_folder_that_holds_something_else_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(UsageError, match="never overwritten"):
        write(run, ["md"], "board", out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_damaged_run_is_refused(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    scores = copy / "scores.parquet"
    content = bytearray(scores.read_bytes())
    content[len(content) // 2] ^= 1
    scores.write_bytes(content)
    with pytest.raises(InputRefused, match="sha256"):
        write(open_run(copy), ["md"], "csr", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
