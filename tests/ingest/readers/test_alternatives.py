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


def test_blanks_around_the_quotes_of_two_cells_are_damage(put):
    rows = "".join(f"{n};steel\n" for n in range(3, 20))
    table = read(put(f'id;text\n1; "blue" \n2; "dark red" \n{rows}'.encode()), required=None)
    assert table.rejected["line"].to_list() == [2, 3]
    assert table.counts.loaded == 17


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


ORDERS = [["id", "name", "place"], *([str(n), f"Site {n}", "Dhaka, east"] for n in range(1, 11))]
SAID = {
    "slashes": (joined("/", rows=ORDERS), "/"),
    "lines that end in semicolons": (joined(",", '"{}"', ORDERS).replace("\n", ";\n"), ","),
    "two files put together": (joined(",", '"{}"', ORDERS[:6]) + joined(";", '"{}"', ORDERS[6:]), ","),
}


@pytest.mark.parametrize("name", SAID)
def test_an_odd_export_that_leaves_no_choice_is_read_aloud(put, name):
    content, mark = SAID[name]
    table = read(put(content.encode()), required=None)
    assert table.header == ORDERS[0]
    assert [list(row) for row in cells(table)] == ORDERS[1:]
    assert table.dialect.delimiter == mark
    assert codes(table) == [("unusual_dialect", None)]


def test_who_says_the_delimiter_says_nothing_of_what_ends_the_lines(put):
    content, mark = SAID["lines that end in semicolons"]
    table = read(put(content.encode()), required=None, delimiter=mark)
    assert table.header == ORDERS[0]
    assert [list(row) for row in cells(table)] == ORDERS[1:]
    assert codes(table) == [("unusual_dialect", None)]
    with pytest.raises(InputRefused):
        read(put(content.encode()), required=None, delimiter="|")


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize(
    "bad", ["11{0}Site{0}Dhaka{0}more", "11{0}Site", '11{0}Si"te{0}Dhaka', '11{0} "Site" {0}Dhaka']
)
def test_an_odd_export_with_a_bad_record_is_not_read_as_if_it_were_whole(put, name, bad):
    content, mark = SAID[name]
    tail = ";" if "semicolons" in name else ""
    try:
        table = read(put((content + bad.format(mark) + tail + "\n").encode()), required=None)
    except InputRefused:
        return
    assert table.counts.set_aside == 1


def test_paths_of_one_depth_are_not_parted_at_their_slashes(put):
    content = "".join(f"data/{kind} files/{n}\n" for kind in ("raw", "clean") for n in range(1, 9))
    with pytest.raises(InputRefused, match="ambiguous"):
        read(put(content.encode()), required=None)


@pytest.mark.parametrize("row", ["20;Site, of 20;Dhaka", "20;Site;Dhaka,", "20,Site;Dhaka,x"])
def test_two_delimiters_of_which_a_row_may_have_either_are_not_read(put, row):
    with pytest.raises(InputRefused):
        read(put((SAID["two files put together"][0] + row + "\n").encode()), required=None)


@pytest.mark.parametrize("required", [None, "sites"])
@pytest.mark.parametrize(("mark", "said"), [(";", ","), (",", ";"), ("\t", ";")])
def test_a_first_line_that_names_the_wrong_delimiter_is_said(put, required, mark, said):
    rows = [["supplier_id", "name", "country"], *([str(n), f"Site {n}", "FR"] for n in range(5))]
    content = f"sep={said}\n" + joined(mark, rows=rows)
    known = {"required": None} if required is None else {}
    table = read(put(content.replace("supplier_id", "id").encode()), **known)
    assert [list(row) for row in cells(table)] == rows[1:]
    assert codes(table) == [("delimiter_named_wrongly", 1)]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_a_mark_of_utf_16_before_utf_8_is_said(put, mark):
    table = read(put(mark + "id,name,country\n1,Rivière,FR\n".encode()), required=None)
    assert cells(table) == [("1", "Rivière", "FR")]
    assert codes(table) == [("encoding_mark", 1)]


def test_a_mark_of_utf_16_before_other_bytes_is_refused(put):
    with pytest.raises(InputRefused):
        read(put(b"\xff\xfe" + "id,name\n1,Rivi\xe8re\n".encode("latin-1")), required=None)
