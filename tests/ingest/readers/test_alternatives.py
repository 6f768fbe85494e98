"""Dialects of several signs, other quotes and blanks: read aloud when the whole head is regular in one of them only."""

import pytest

from vigilance.errors import InputRefused

from .conftest import cells, codes, read

ROWS = [["id", "name, in full", "place"], ["1", "Delta, Knit", "Dhaka"], ["2", "Rivière", "Lyon, 3e"], ["3", "x", "y"]]


def joined(mark, quote="{}", rows=ROWS):
    return "".join(mark.join(quote.format(cell) for cell in row) + "\n" for row in rows)


DIALECTS = {
    "two pipes": (joined("||"), "||"),
    "two semicolons": (joined(";;"), ";;"),
    "arrows": (joined("<->"), "<->"),
    "broken bars": (joined("¦"), "¦"),
    "carets": (joined("^"), "^"),
    "curly quotes": (joined(",", "“{}”"), ","),
    "guillemets": (joined(";", "«{}»"), ";"),
    "apostrophes": (joined(",", "'{}'"), ","),
    "blanks after and before": (joined(" , ", '"{}"'), ","),
    "blanks at the end": (joined(",", '"{}"').replace("\n", "   \n"), ","),
    "lines in quotes": (
        "".join(f'"{line.replace(chr(34), chr(34) * 2)}"\n' for line in joined(",", '"{}"').splitlines()),
        ",",
    ),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_the_one_dialect_that_fits_is_taken_aloud(put, name):
    content, mark = DIALECTS[name]
    table = read(put(content.encode()), required=None)
    assert table.header == ROWS[0]
    assert [list(row) for row in cells(table)] == ROWS[1:]
    assert table.dialect.delimiter == mark
    assert codes(table) == [("unusual_dialect", None)]


def test_quotes_as_inch_marks_on_several_lines_are_signs(put):
    rows = [["id", "text"], ["1", 'a 5" pipe'], ["2", 'said "yes" twice'], ["3", '12"']]
    table = read(put(joined(",", rows=rows).encode()), required=None)
    assert [list(row) for row in cells(table)] == rows[1:]
    assert codes(table) == [("unusual_dialect", None)]


@pytest.mark.parametrize("bad", ['1,"a', '1,a"', '1,a"b"', '1,"a"b"c"'])
def test_one_odd_quote_is_damage_not_a_dialect(put, bad):
    table = read(put(f"id,text\n{bad}\n2,b\n3,c\n4,d\n5,e\n".encode()), required=None)
    assert table.rejected["line"].to_list() == [2]
    assert cells(table) == [("2", "b"), ("3", "c"), ("4", "d"), ("5", "e")]


def test_quotes_in_the_middle_of_words_on_two_lines_are_damage(put):
    table = read(put(b'id,text\n1,ab"c\n2,d"ef\n3,c\n4,d\n5,e\n6,f\n7,g\n8,h\n9,i\n10,j\n'), required=None)
    assert table.rejected["line"].to_list() == [2, 3]


def test_a_list_of_links_is_not_parted_at_its_slashes(put):
    content = "".join(f"https://example.org/{word}/{word}.csv\n" for word in ("a", "b", "c", "d"))
    assert len(read(put(content.encode()), required=None).names) == 1


def test_two_dialects_that_fit_are_refused(put):
    with pytest.raises(InputRefused, match="ambiguous"):
        read(put(b"a^b~c\n1^2~3\n4^5~6\n7^8~9\n"), required=None)
