"""Judgements: loading, dates, what-ifs, cache, and the words of every error."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from vigilance import rule_cache, rules, terms
from vigilance.errors import RuleError, UsageError
from vigilance.i18n import use
from vigilance.rule_compile import check_file, compile_rules
from vigilance.rule_docs import document
from vigilance.rule_files import MAX_BYTES

ON = date(2026, 11, 1)
WRONG = Path(__file__).parent / "wrong_rules"
CASES = sorted(WRONG.glob("*.words"))
ROOT = Path(__file__).parent.parent

HEAD = "title: {en: A rule, fr: Une règle}\nreviewed: 2026-11-01\n"
SOURCES = (
    "title: {en: Sources, fr: Sources}\nreviewed: 2026-11-01\nsources:\n"
    "  prior: {title: {en: Prior, fr: A priori}, kind: expert_prior, publisher: us, year: 2026, reference: here}\n"
)


@pytest.fixture(scope="module")
def book() -> rules.Rulebook:
    return rules.load()


@pytest.fixture(scope="module")
def judgements(book: rules.Rulebook) -> rules.Judgements:
    return book.in_force(ON)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small rules folder with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "rules"
    (root / "factors").mkdir(parents=True)
    (root / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    (root / "method.yaml").write_text(
        HEAD + "notes: {en: Note, fr: Remarque}\n"
        "titles: {slope: {en: Slope, fr: Pente}}\n"
        "slope:\n  forced_labour:\n"
        "    - {since: 2020-01-01, value: 2, low: 1, high: 4, sources: [prior], note: first}\n"
        "    - {since: 2024-07-01, value: 3, low: 2, high: 5, sources: [prior], note: second}\n"
        "limit:\n  - {since: 2020-01-01, value: 0.5, exact: true, sources: [prior]}\n"
        "coding:\n  sources: [prior]\n  answer: {NO: 0, yes: 1}\n"
        "  scale:\n    - {since: 2020-01-01, value: 0.3, low: 0.1, high: 0.4, sources: [prior]}\n",
        encoding="utf-8",
    )
    return root


def table(root: Path, rows: str, name: str = "shares") -> Path:
    there = root / "tables" / name
    there.mkdir(parents=True)
    (there / "card.yaml").write_text(
        HEAD + "since: 2020-01-01\nkey: [code]\nsources: [prior]\nnotes: {en: Note, fr: Remarque}\ncolumns:\n"
        "  code: {type: string, title: {en: Code, fr: Code}}\n"
        "  low: {type: number, title: {en: Low, fr: Bas}}\n"
        "  value: {type: number, title: {en: Value, fr: Valeur}}\n"
        "  high: {type: number, title: {en: High, fr: Haut}}\n"
        "  source: {type: string, title: {en: Source, fr: Source}}\n",
        encoding="utf-8",
    )
    (there / "table.csv").write_text(rows, encoding="utf-8")
    return there


# The shipped rules


def test_the_shipped_numbers_are_those_of_the_method(judgements: rules.Judgements) -> None:
    for path, value, low, high in (
        ("method.size_exponent", 0.33, 0.15, 0.5),
        ("method.country_slope.forced_labour", 2.5, 1, 4),
        ("method.country_slope.child_labour", 3, 1.5, 4.5),
        ("factors.recruitment_fees.ratio.forced_labour", 2, 1.3, 3.5),
        ("factors.listed_good.ratio.child_labour", 3, 1.5, 6),
        ("factors.state_imposed_zone.ratio.forced_labour", 10, 4, 20),
        ("factors.migrant_share.coefficient.forced_labour", 2, 1, 4),
    ):
        found = judgements.get(path)
        assert (found.value, found.low, found.high) == (value, low, high)
    for path, value in (
        ("method.combined_ratio_bound", 25),
        ("method.rate_ceiling", 0.5),
        ("method.tier.forced_labour.4", 2.2),
        ("method.tier.child_labour.1", 0.03),
        ("method.absence_proof.declared", 0.3),
        ("method.band.severe", 0.15),
        ("method.grade.A", 0.8),
        ("severity.priority.severity_exponent", 0.6),
    ):
        assert judgements.value(path) == value


def test_every_factor_of_the_vocabulary_has_a_rule(judgements: rules.Judgements) -> None:
    for factor in terms.FACTORS:
        rule = judgements.rule(f"factors.{factor}")
        assert rule.form == "three_state"
        assert rule.reads == (factor,)
        assert rule.signs
        assert rule.indicators
        assert rule.notes
        assert judgements.under(f"factors.{factor}.ratio")


def test_no_risk_factor_lowers_risk(judgements: rules.Judgements) -> None:
    for path, estimate in judgements.under("factors").items():
        if ".ratio." in path:
            assert estimate.low >= 1, path


def test_tiers_never_lower_risk_upstream(judgements: rules.Judgements) -> None:
    for hazard in terms.HAZARDS:
        ratios = [judgements.value(f"method.tier.{hazard}.{tier}") for tier in terms.TIERS]
        assert ratios == sorted(ratios)


def test_limits_are_in_order(judgements: rules.Judgements) -> None:
    bands = [judgements.value(f"method.band.{band}") for band in terms.BANDS[1:]]
    grades = [judgements.value(f"method.grade.{grade}") for grade in terms.GRADES[:-1]]
    assert bands == sorted(set(bands))
    assert grades == sorted(set(grades), reverse=True)
    proofs = [judgements.value(f"method.absence_proof.{p}") for p in ("declared", "documented")]
    assert proofs == sorted(set(proofs))


def test_an_expert_prior_says_so(book: rules.Rulebook) -> None:
    kinds = {name: source.kind for name, source in book.sources.items()}
    for path in book.paths:
        for entry in book.history(path):
            only = {kinds[name] for name in entry.value.sources}
            assert only, path
            assert entry.value.exact or only != {"law"}, f"{path}: a law gives no range"


def test_each_source_is_cited(book: rules.Rulebook) -> None:
    """A source that no judgement rests on does not belong here: those of facts stand on the cards of ``data/``."""

    def stated(block: object) -> set[str]:
        if not isinstance(block, dict):
            return set()
        own = block.get("sources") or ()
        return {*own}.union(*(stated(inner) for inner in block.values()))

    compiled = book.compiled
    cited = {name for path in book.paths for entry in book.history(path) for name in entry.value.sources}
    cited |= stated(compiled["files"]) | stated(compiled["words"]) | stated(compiled["tables"])
    for name in book.tables:
        rows = pl.read_csv(book.root / "tables" / name / "table.csv", infer_schema=False)
        cited |= set(" ".join(rows["source"] if "source" in rows.columns else ()).split())
    assert sorted(set(book.sources) - cited) == []


def test_profiles_cover_every_division(judgements: rules.Judgements) -> None:
    profile = judgements.table("activity_profile")
    sectors = judgements.table("broad_sector")
    assert set(profile["division"]) == set(sectors["division"])
    assert terms.DIVISION_UNKNOWN in set(profile["division"])
    expected = {"size", "migrant_share", *terms.FACTORS, *(f"tier{tier}" for tier in terms.TIERS)}
    per_division = profile.group_by("division").agg("parameter")
    assert all(set(found) == expected for found in per_division["parameter"])


def test_tier_shares_add_up(judgements: rules.Judgements) -> None:
    profile = judgements.table("activity_profile")
    tiers = profile.filter(profile["parameter"].str.starts_with("tier")).group_by("division").agg(pl.col("value").sum())
    assert all(math.isclose(total, 1, abs_tol=1e-9) for total in tiers["value"])


def test_upstream_shares_stay_below_the_whole(judgements: rules.Judgements) -> None:
    upstream = judgements.table("upstream")
    assert set(upstream["upstream_tier"]) == {2, 3, 4}
    assert upstream.group_by("division", "upstream_tier").agg(pl.col("value").sum())["value"].max() <= 1
    sectors = set(judgements.table("broad_sector")["division"])
    assert set(upstream["division"]) | set(upstream["upstream_division"]) <= sectors


def test_broad_sectors_are_those_of_the_estimates(judgements: rules.Judgements) -> None:
    sector = dict(judgements.table("broad_sector").iter_rows())
    assert {sector["01"], sector["14"], sector["41"], sector["47"], sector["97"], sector["00"]} == {
        "agriculture",
        "industry",
        "services",
        "domestic_work",
        "unknown",
    }
    assert sector["43"] == "industry"
    assert sector["98"] == "services"


def test_the_reference_page_is_up_to_date(book: rules.Rulebook) -> None:
    """On a change of rules: vigilance rules document > docs/rules.md."""
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert page == document(book.in_force(ON)), "run: vigilance rules document > docs/rules.md"


def test_every_french_text_is_there() -> None:
    catalogue = ROOT / "src" / "vigilance" / "locale" / "fr" / "LC_MESSAGES" / "rules"
    with catalogue.with_suffix(".po").open("rb") as file:
        wanted = {message.id: message.string for message in read_po(file) if message.id}
    with catalogue.with_suffix(".mo").open("rb") as file:
        shipped = {message.id: message.string for message in read_mo(file) if message.id}
    assert shipped == wanted
    modules = [*(ROOT / "src" / "vigilance").glob("rule*.py"), ROOT / "src" / "vigilance" / "cli" / "rules.py"]
    for module in modules:
        with module.open("rb") as file:
            for _line, text, _comments, _context in extract("python", file):
                assert wanted.get(text), f"{module.name}: no French for {text!r}"


def test_every_rule_and_table_is_on_the_reference_page(book: rules.Rulebook) -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    missing = [name for name in book.files if f"\n## {name}\n" not in page]
    missing += [name for name in book.tables if f"\n## Table {name}\n" not in page]
    assert not missing


# Reading


def test_the_newest_value_in_force_wins(folder: Path) -> None:
    book = rules.load(folder)
    path = "method.slope.forced_labour"
    assert book.in_force(date(2024, 6, 30)).value(path) == 2
    later = book.in_force(date(2024, 7, 1)).get(path)
    assert (later.value, later.since, later.note, later.sources) == (3, date(2024, 7, 1), "second", ("prior",))


def test_a_value_dated_after_the_date_is_not_used(folder: Path) -> None:
    early = rules.load(folder).in_force(date(2019, 12, 31))
    with pytest.raises(RuleError, match=r"no value in force on 2019-12-31; the first holds from 2020-01-01"):
        early.value("method.slope.forced_labour")
    assert early.under("method") == {}
    assert not early.has("method.limit")


def test_an_unknown_path_names_the_nearest(folder: Path) -> None:
    held = rules.load(folder).in_force(ON)
    with pytest.raises(UsageError, match=r"Did you mean method\.slope\.forced_labour"):
        held.value("method.slope.forced_labor")


def test_spreads(folder: Path) -> None:
    held = rules.load(folder).in_force(date(2023, 1, 1))
    assert held.sd_ln("method.slope.forced_labour") == pytest.approx(math.log(4) / 3.29)
    assert held.sd("method.slope.forced_labour") == pytest.approx(3 / 3.29)
    assert held.sd_ln("method.limit") == held.sd("method.limit") == 0


def test_no_logarithm_below_zero() -> None:
    estimate = rules.Estimate("a.b", 0.1, 0.0, 0.2, ("prior",), ON)
    with pytest.raises(RuleError, match="no logarithm"):
        _ = estimate.sd_ln


def test_titles_and_words(folder: Path) -> None:
    held = rules.load(folder).in_force(ON)
    assert held.title("method.slope.forced_labour", "fr") == "Pente"
    assert held.title("method.limit", "fr") == "Une règle"
    assert held.words("method.coding.answer") == {"NO": 0, "yes": 1}
    assert held.words("method.coding.answer.NO") == 0
    assert held.value("method.coding.scale") == 0.3
    with pytest.raises(UsageError, match="no words are kept"):
        held.words("method.coding.question")
    assert "Prior" in held.source("prior").text("en")


# What-ifs


def test_a_what_if_changes_one_number_and_the_digest(folder: Path) -> None:
    held = rules.load(folder).in_force(date(2023, 1, 1))
    changed = held.with_value("method.slope.forced_labour", 6)
    found = changed.get("method.slope.forced_labour")
    assert (found.value, found.low, found.high) == (6, 1, 6)
    assert held.value("method.slope.forced_labour") == 2
    assert changed.digest != held.digest
    assert changed.with_value("method.limit", 0.4).get("method.limit").exact


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_a_ratio_cannot_be_set_to(value: float, folder: Path) -> None:
    with pytest.raises(UsageError, match="cannot be set"):
        rules.load(folder).in_force(ON).with_value("method.slope.forced_labour", value)


def test_a_what_if_on_nothing_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="no judgement is called"):
        rules.load(folder).in_force(ON).with_values({"method.slop": 1})


@given(st.floats(min_value=1e-6, max_value=1e6))
def test_a_what_if_never_narrows_a_range(value: float) -> None:
    judgements = rules.load().in_force(ON)
    before = judgements.get("method.size_exponent")
    after = judgements.with_value("method.size_exponent", value).get("method.size_exponent")
    assert after.low <= min(before.low, value)
    assert after.high >= max(before.high, value)
    assert after.value == value


def test_overrides_are_read_from_text() -> None:
    assert rules.parse_override("method.size_exponent=0.4") == ("method.size_exponent", 0.4)
    for text in ("method.size_exponent", "method.size_exponent=big", "=", "a=1=2"):
        with pytest.raises(UsageError, match="Write it as"):
            rules.parse_override(text)


# Tables


def test_a_table_is_typed_and_dated(folder: Path) -> None:
    table(folder, "code,low,value,high,source\n01,0.1,0.2,0.3,prior\n")
    book = rules.load(folder)
    frame = book.in_force(ON).table("shares")
    assert frame.rows() == [("01", 0.1, 0.2, 0.3, "prior")]
    with pytest.raises(RuleError, match="holds from 2020-01-01, after 2019-01-01"):
        book.in_force(date(2019, 1, 1)).table("shares")
    with pytest.raises(UsageError, match="Known: shares"):
        book.in_force(ON).table("share")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("code,low,value,source\n01,0.1,0.2,prior\n", "the header is code, low, value, source"),
        ("code,low,value,high,source\n01,0.3,0.2,0.4,prior\n", "low ≤ value ≤ high does not hold on line(s) 2"),
        ("code,low,value,high,source\n01,0,1,2,prior\n01,0,1,2,prior\n", "the key twice on line(s) 2, 3"),
        ("code,low,value,high,source\n01,0,1,2,gossip\n", "a source that is not in sources.yaml on line(s) 2"),
        ("code,low,value,high,source\n01,0,,2,prior\n", "an empty `value` on line(s) 2"),
        ("code,low,value,high,source\n01,0,NaN,2,prior\n", "a number that is not finite in `value` on line(s) 2"),
        ("code,low,value,high,source\n01,0,many,2,prior\n", "cannot be read as its card says"),
        ("code,low,value,high,source\n01,0,1,2,prior,extra\n", "cannot be read as its card says"),
    ],
)
def test_a_wrong_table_is_named(folder: Path, rows: str, words: str) -> None:
    table(folder, rows)
    with pytest.raises(RuleError) as caught:
        rules.load(folder)
    assert words in str(caught.value)
    assert "tables/shares/table.csv" in str(caught.value)


# Wrong files


@pytest.mark.parametrize("words", CASES, ids=lambda path: path.stem)
def test_a_wrong_file_says_what_is_wrong(words: Path, book: rules.Rulebook) -> None:
    file = next(path for path in WRONG.glob(f"{words.stem}.y*ml"))
    with pytest.raises(RuleError) as caught:
        check_file(file, book.compiled["sources"])
    message = str(caught.value)
    assert caught.value.exit_code == 2
    for expected in words.read_text(encoding="utf-8").splitlines():
        assert expected in message
    assert f"{file.name}:" in message


def test_there_are_many_kinds_of_wrong_files() -> None:
    assert len(CASES) >= 15
    assert {path.stem for path in WRONG.glob("*.y*ml")} == {path.stem for path in CASES}


def test_a_huge_file_is_not_read(folder: Path) -> None:
    (folder / "huge.yaml").write_text("#" * (MAX_BYTES + 1), encoding="utf-8")
    with pytest.raises(RuleError, match="at most 262,144 are read"):
        rules.load(folder)


def test_all_errors_of_all_files_come_together(folder: Path) -> None:
    for i, name in enumerate(("one", "two", "three")):
        (folder / "factors" / f"{name}.yaml").write_text(HEAD + f"ratio{i}: 3\n", encoding="utf-8")
    (folder / "sources.yaml").write_text(SOURCES.replace("year: 2026", "yaer: 2026"), encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        rules.load(folder)
    message = str(caught.value)
    for words in ("factors/one.yaml:3:1", "factors/two.yaml:3:1", "factors/three.yaml:3:1", "yaer", "4 problem(s)"):
        assert words in message


def test_one_path_in_two_files_is_refused(folder: Path) -> None:
    entry = "- {since: 2020-01-01, value: 1, exact: true, sources: [prior]}"
    (folder / "evidence").mkdir()
    (folder / "evidence.yaml").write_text(HEAD + f"audits:\n  se:\n    {entry}\n", encoding="utf-8")
    (folder / "evidence" / "audits.yaml").write_text(HEAD + f"se:\n  {entry}\n", encoding="utf-8")
    with pytest.raises(RuleError, match=r"evidence\.audits\.se is already given by evidence"):
        rules.load(folder)


def test_a_folder_without_sources_is_refused(folder: Path) -> None:
    (folder / "sources.yaml").unlink()
    with pytest.raises(RuleError, match=r"sources\.yaml:1:1: the file is missing"):
        rules.load(folder)


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no rules folder"):
        rules.load(tmp_path / "nowhere")


def test_a_note_may_be_in_both_languages(folder: Path) -> None:
    entry = "{since: 2020-01-01, value: 1, exact: true, sources: [prior], note: {en: Why, fr: Pourquoi}}"
    (folder / "noted.yaml").write_text(HEAD + f"limit:\n  - {entry}\n", encoding="utf-8")
    estimate = rules.load(folder).in_force(ON).get("noted.limit")
    assert estimate.note == "Why"
    with use("fr"):
        assert estimate.note == "Pourquoi"


def test_messages_are_in_french_too(folder: Path) -> None:
    (folder / "factors" / "one.yaml").write_text(HEAD + "ratio: 3\n", encoding="utf-8")
    with use("fr"), pytest.raises(RuleError, match="champ inconnu `ratio`"):
        rules.load(folder)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as there:
        path = Path(there) / "any.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with pytest.raises(RuleError, match=r"any\.yaml"):  # no text lacks a flaw: nothing is a known source
            check_file(path, {})


# Cache


def test_the_cache_gives_the_same_rules(folder: Path) -> None:
    first = rules.load(folder)
    kept = list((folder.parent / "cache" / "vigilance").glob("rules-*.json"))
    assert len(kept) == 1
    second = rules.load(folder)
    assert json.loads(json.dumps(first.compiled)) == second.compiled
    assert first.digest == second.digest


def test_a_damaged_cache_is_not_believed(folder: Path) -> None:
    rules.load(folder)
    (kept,) = (folder.parent / "cache" / "vigilance").glob("rules-*.json")
    content = kept.read_bytes()
    kept.write_bytes(content.replace(b'"2020-01-01", 2.0', b'"2020-01-01", 9.0'))
    assert kept.read_bytes() != content
    assert rules.load(folder).in_force(date(2023, 1, 1)).value("method.slope.forced_labour") == 2


def test_a_changed_rule_is_seen_at_once(folder: Path) -> None:
    before = rules.load(folder)
    path = folder / "method.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("value: 3,", "value: 4,"), encoding="utf-8")
    after = rules.load(folder)
    assert after.in_force(ON).value("method.slope.forced_labour") == 4
    assert after.digest != before.digest


def test_a_cache_that_cannot_be_written_is_done_without(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = folder.parent / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert rules.load(folder).in_force(ON).value("method.limit") == 0.5


def test_old_caches_are_let_go(folder: Path) -> None:
    path = folder / "method.yaml"
    text = path.read_text(encoding="utf-8")
    for i in range(12):
        path.write_text(f"{text}# {i}\n", encoding="utf-8")
        rules.load(folder)
    assert len(list((folder.parent / "cache" / "vigilance").glob("rules-*.json"))) <= 8


def test_the_digest_does_not_depend_on_the_place(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    assert rule_cache.folder_digest(folder) == rule_cache.folder_digest(tmp_path / "copy")


def test_a_cached_load_imports_neither_yaml_nor_pydantic() -> None:
    rules.load()
    code = (
        "import sys; from vigilance import rules; rules.load(); "
        "print(sorted({'pydantic', 'ruamel.yaml', 'polars'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"


def test_the_shipped_rules_compile_without_a_cache() -> None:
    compiled = compile_rules(rules.shipped_rules())
    assert json.loads(json.dumps(compiled)) == rules.load().compiled
