"""Each row of the bad-input contract that a reader decides, with the words its message must hold."""

import gzip
import hashlib

import polars as pl
import pytest

from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import use
from vigilance.ingest.readers import Limits, Names, expand, read_raw
from vigilance.issues import SCHEMA

from .conftest import WANTED, cells, codes, lines, read

HEAD = b"id,name,country\n"
REFUSED = {
    "empty": (b"", ["empty"]),
    "only blanks": (b"\n\n  \n", ["empty"]),
    "only a mark": (b"\xef\xbb\xbf", ["empty"]),
    "pdf": (b"%PDF-1.7\n", ["PDF", "content"]),
    "html": (b"<!DOCTYPE html><table>", ["HTML", "content"]),
    "zip": (b"PK\x03\x04rest", ["zip", "content"]),
    "latin": ("id,name,country\n1,é,FR\n".encode("latin-1"), ["line 2", "byte 18", "0xe9", "cp1252"]),
    "mixed": ("id,name,country\n1,éàü,FR\n".encode() + b"2,\xe9,FR\n", ["line 3", "mixed encodings"]),
    "nul": (HEAD + b"1,a\0,FR\n", ["line 2", "byte 19", "NUL"]),
    "late nul": (HEAD + b"1,a,FR\n" * 200_000 + b"2\0,b,DE\n", ["line 200002", "NUL"]),
    "late byte": (HEAD + b"1,a,FR\n" * 200_000 + b"2,\xff,DE\n", ["line 200002", "0xff"]),
    "late byte after a bad row": (HEAD + b"1\n" + b"1,a,FR\n" * 200_000 + b"2,\xff,DE\n", ["line 200003", "0xff"]),
    "no delimiter": (b"id name country\n1 a FR\n", ["no header", "'id name country'"]),
    "missing column": (b"id,nom,country\n1,a,FR\n", ["no header with 'name'", "'nom'", "nearest", "line 1"]),
    "twice": (b"id,name,country,NAME\n1,a,FR,b\n", ["twice", "'name'", "'NAME'", "line 1"]),
    "two delimiters": (b"id,name,country\n1,a,FR\nid;name;country\n2;b;DE\n", ["ambiguous", "','", "';'"]),
    "two tables": (HEAD + b"1,a,FR\n\nname,id,country\nb,2,DE\n", ["two tables", "line 1", "line 4"]),
    "two tables of two widths": (HEAD + b"1,a,FR\n\nid,name,country,x\n2,b,DE,9\n", ["two tables"]),
    "apostrophes": (HEAD + b"'1','a','FR'\n'2','it's so','DE'\n", ["apostrophes", "line 2"]),
    "too many columns": (b"id,name,country" + b",x" * 2000 + b"\n", ["2003 columns", "limit"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_words_that_help(put, case):
    content, words = REFUSED[case]
    with pytest.raises(InputRefused) as caught:
        read(put(content))
    assert caught.value.exit_code == 3
    for word in ["list.csv", *words]:
        assert word in str(caught.value), word


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputRefused, match="no such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(InputRefused, match="not a regular file"):
        read(tmp_path)
    with pytest.raises(InputRefused, match="no file of a known kind"):
        expand([tmp_path])


SET_ASIDE = {
    "too few": (b"2,b\n", "too_few_cells"),
    "too many": (b"2,b,DE,9\n", "too_many_cells"),
    "one too many and empty": (b"2,b,DE,\n", "too_many_cells"),
    "bare quote": (b'2,5" pipe,DE\n', "bare_quote"),
    "quote after the cell": (b'2,"b"x,DE\n', "bare_quote"),
    "quote before the cell": (b'2,x"b",DE\n', "bare_quote"),
    "space before the quote": (b'2, "b",DE\n', "bare_quote"),
    "unclosed quote": (b'2,"b,DE\n', "unclosed_quote"),
    "unclosed at the last cell": (b'2,b,"DE\n', "unclosed_quote"),
    "other delimiter": (b"2;b;DE\n", "too_few_cells"),
    "long cell": (b"2," + b"x" * 40_000 + b",DE\n", "cell_too_long"),
}


@pytest.mark.parametrize("case", SET_ASIDE)
@pytest.mark.parametrize("quoted", [False, True])
def test_bad_record_is_set_aside_alone_with_its_bytes(put, case, quoted):
    bad, code = SET_ASIDE[case]
    good = [b'1,"a",FR\n', b'3,"c",IT\n'] if quoted else [b"1,a,FR\n", b"3,c,IT\n"]
    table = read(put(HEAD + good[0] + bad + good[1]))
    assert cells(table) == [("1", "a", "FR"), ("3", "c", "IT")]
    assert lines(table) == [2, 4]
    assert codes(table) == [(code, 3)]
    assert table.rejected.rows() == [(3, bad.rstrip(b"\n"), code)]
    assert (table.counts.rows_in, table.counts.loaded, table.counts.set_aside) == (3, 2, 1)
    assert table.issues.schema == SCHEMA


def test_two_stray_quotes_do_not_swallow_a_record(put):
    table = read(put(HEAD + b'1,a,"FR\n2,b,DE\n3,c,IT"\n4,d,ES\n'))
    assert cells(table) == [("4", "d", "ES")]
    assert table.counts.set_aside == 3
    assert table.rejected["bytes"].to_list() == [b'1,a,"FR', b"2,b,DE", b'3,c,IT"']
    assert codes(table) == [("unclosed_quote", line) for line in (2, 3, 4)]


AROUND = {
    "title and blank lines": (b"Suppliers 2026\n\nid,name,country\n1,a,FR\n", [("title_lines", 3)]),
    "mark and sep line": (b"\xef\xbb\xbfsep=;\r\nid;name;country\r\n1;a;FR\r\n", []),
    "total below": (HEAD + b"1,a,FR\nTotal,,1\n", [("trailer", 3)]),
    "text below": (HEAD + b"1,a,FR\n\nSource: our own survey, as of today\n", [("trailer", 4)]),
    "header again": (HEAD + b"id,name,country\n1,a,FR\n", [("repeated_header", 2)]),
    "trailing delimiter": (HEAD + b"1,a,FR,\n", [("trailing_delimiter", 1)]),
    "trailing delimiter in the header": (b"id,name,country,\n1,a,FR\n", [("trailing_delimiter", 1)]),
    "blank rows": (HEAD + b"\n1,a,FR\n,,\n  \n", []),
    "CR": (b"id,name,country\r1,a,FR\r", []),
    "CRLF without the last": (b"id,name,country\r\n1,a,FR", []),
    "mixed ends": (b"id,name,country\n\n1,a,FR\r\n", [("mixed_line_ends", None)]),
    "UTF-16": ("\ufeffid\tname\tcountry\n1\ta\tFR\n".encode("utf-16-le"), []),
    "UTF-16 without a mark": ("id;name;country\n1;a;FR\n".encode("utf-16-be"), []),
    "UTF-32": ("id|name|country\n1|a|FR\n".encode("utf-32"), []),
}


@pytest.mark.parametrize("case", AROUND)
def test_what_stands_around_the_table_is_skipped_aloud(put, case):
    content, said = AROUND[case]
    table = read(put(content))
    assert cells(table) == [("1", "a", "FR")]
    assert codes(table) == said
    assert table.counts.loaded == 1
    assert table.counts.set_aside == 0


def test_physical_lines_and_blanks_are_counted(put):
    table = read(put(b'Title\r\nid,name,country\r\n1,"a\r\nb",FR\r\n\r\n2,b,DE\r\n,,\r\n3,"c\n",IT\r\n'))
    assert cells(table) == [("1", "a\r\nb", "FR"), ("2", "b", "DE"), ("3", "c\n", "IT")]
    assert lines(table) == [3, 6, 8]
    assert table.counts.blank == 2
    assert table.counts.rows_in == 5


def test_empty_and_quoted_empty_cells_are_null(put):
    assert cells(read(put(HEAD + b'1,,""\n'))) == [("1", None, None)]


def test_unneeded_headers_that_clash_or_lack_are_named(put):
    table = read(put(b"id,name,country,x,x,,_row\n1,a,FR,b,c,d,e\n"))
    assert table.header == ["id", "name", "country", "x", "x", "", "_row"]
    assert table.names == ["id", "name", "country", "x", "x (2)", "column 6", "_row (2)"]
    assert [code for code, _row in codes(table)] == ["duplicate_header", "unnamed_column", "duplicate_header"]


def test_declared_encoding_keeps_original_bytes(put):
    path = put("id,name,country\n1,Müller,DE\n2,é\n".encode("cp1252"))
    table = read(path, encoding="cp1252")
    assert cells(table) == [("1", "Müller", "DE")]
    assert table.rejected["bytes"].to_list() == [b"2,\xe9"]
    with pytest.raises(UsageError, match="encoding"):
        read(path, encoding="klingon")


def test_declared_delimiter(put):
    path = put(b"id:name:country\n1:a:FR\n")
    assert cells(read(path, delimiter=":")) == [("1", "a", "FR")]
    with pytest.raises(UsageError, match="delimiter"):
        read(path, delimiter="::")


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_whoever_says_the_delimiter_is_not_asked_for_it(put, end):
    """Values that all end in another delimiter leave it open, until somebody says which it is."""
    path = put(end.join([b"id,goods", b"1,cotton;yarn;", b"2,dye;", b"3,;", b"4,zip;thread;", b""]))
    with pytest.raises(InputRefused, match="ambiguous"):
        read(path, required=None)
    table = read(path, required=None, delimiter=",")
    assert cells(table) == [("1", "cotton;yarn;"), ("2", "dye;"), ("3", ";"), ("4", "zip;thread;")]
    assert codes(table) == []


GENERIC = {
    "comma": (b"a,b\n1,2\n", ","),
    "semicolon with decimal comma": (b"a;b\n1,5;2,5\n3,5;x\n", ";"),
    "tab": (b"a\tb\nx, y\tz\n", "\t"),
    "years": (b"place,2025,2026\nx,1,2\n", ","),
    "title": (b"Report\n\na|b|c\n1|2|3\n4|5|6\n7|8|9\n", "|"),
}


@pytest.mark.parametrize("case", GENERIC)
def test_any_header_when_the_counts_decide(put, case):
    content, delimiter = GENERIC[case]
    table = read(put(content), required=None)
    assert table.dialect.delimiter == delimiter
    assert table.counts.set_aside == 0


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"a,b;c\n1,2;3\n", "ambiguous"),
        (b"a,b\nfoo\nbar\nbaz\n1,2,3\n", "delimiter"),
        (b"1 2,3 4\n5 6,7 8\n", "ambiguous"),
        (b"sep=,\nx;1,5\ny;2,5\nz;3,5\n", "ambiguous"),
        (b"a b c\n1 2 3\n", "ambiguous"),
        (b"a^b\n1^2\n", "ambiguous"),
        (b"a||b||c\n1||2||3\n", "two characters"),
    ],
)
def test_undecided_is_an_error(put, content, word):
    with pytest.raises(InputRefused, match=word):
        read(put(content), required=None)


def test_limits(put):
    path = put(HEAD + b"1,a,FR\n" * 10)
    for limits, word in [
        (Limits(bytes=20), "limit"),
        (Limits(rows=9), "rows"),
        (Limits(columns=2), "columns"),
        (Limits(header=4), "header"),
    ]:
        with pytest.raises(InputRefused, match=word):
            read(path, limits=limits)
    with pytest.raises(InputRefused, match="do not fit"):
        read(put(HEAD + b"1\n" * 10), limits=Limits(rejects=9))


def test_gzip_and_its_bombs(put):
    packed = gzip.compress(HEAD + b"1,a,FR\n")
    assert cells(read(put(packed, "list.csv.gz"))) == [("1", "a", "FR")]
    with pytest.raises(InputRefused, match="damaged or cut off"):
        read(put(packed[:-9], "list.csv.gz"))
    with pytest.raises(InputRefused, match="over the limit"):
        read(put(gzip.compress(bytes(3_000_000)), "list.csv.gz"), limits=Limits(ratio_from=1_000_000))
    with pytest.raises(InputRefused, match="empty"):
        read(put(gzip.compress(b""), "list.csv.gz"))


def test_expand_takes_folders_in_order(tmp_path):
    for name in ("b.csv", "a.xlsx", "c.csv.gz", "note.md", ".hidden.csv", "~$a.xlsx"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in expand([tmp_path, tmp_path / "b.csv"])] == ["a.xlsx", "b.csv", "c.csv.gz"]


def test_digest_and_size_are_of_the_users_file(put):
    content = gzip.compress(HEAD + b"1,a,FR\n")
    table = read(put(content, "list.csv.gz"))
    assert table.digest == hashlib.sha256(content).hexdigest()
    assert table.size == len(content)


def test_messages_speak_french(put):
    with use("fr"), pytest.raises(InputRefused, match="le fichier est vide"):
        read(put(b""))


def test_names_matches_whatever_the_order_and_case():
    match = WANTED.match([" Country", "ID", "x"])
    assert list(match.missing) == ["name"]
    assert match.mapping == {"id": 1, "country": 0}
    assert Names(()).match(["a"]).missing == []


def test_many_bad_rows_are_exactly_counted(put):
    rows = [b"%d,a,FR" % i if i % 100 else b"%d,a" % i for i in range(50_000)]
    table = read_raw(put(HEAD + b"\n".join(rows)), required=WANTED)[0]
    assert table.counts.set_aside == 500
    assert table.frame.select(pl.len()).collect().item() == 49_500
    assert table.rejected.height == 500


@pytest.mark.parametrize("line", [b'1,"' + b"x" * 6_000_000 + b'",FR\n', b"1," + b"x" * 6_000_000, b'"' * 6_000_000])
def test_a_line_without_end_is_refused_before_it_is_read(put, line):
    with pytest.raises(InputRefused, match="line 3: a line longer than 1048576 bytes"):
        read(put(HEAD + b"0,a,DE\r\n" + line))
    assert cells(read(put(HEAD + b"1,a,FR\n" * 800_000)))[-1] == ("1", "a", "FR")
