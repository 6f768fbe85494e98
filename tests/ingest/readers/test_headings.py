"""Tables whose first line does not name the columns as it should: read only where the values tell what it is."""

import pytest

from vigilance.errors import InputRefused

from .conftest import cells, codes, lines, read

ROWS = "".join(f"2024-03-{day:02d},{day}.5,part {'abcdefghij'[day % 10]},AB{day}\n" for day in range(1, 13))
NAMES = "date,amount,text,code\n"
TEXT = "".join(f"{word},{word[::-1]},{word[1:]}\n" for word in ("river", "stone", "cloud", "forest", "valley"))


def any_header(put, content):
    return read(put(content.encode()), required=None)


@pytest.mark.parametrize("content", ["1,2,3\n4,5,6\n", "a,1\nb,2\n", ROWS])
def test_without_a_header_columns_are_named_by_their_places_aloud(put, content):
    table = any_header(put, content)
    width = content.partition("\n")[0].count(",") + 1
    assert table.names == [f"column {place}" for place in range(1, width + 1)]
    assert [",".join(row) for row in cells(table)] == content.splitlines()
    assert codes(table) == [("no_header", 1)]
    assert table.counts.loaded == table.counts.rows_in


@pytest.mark.parametrize(
    "header",
    ["date,amount,textcode\n", "date,amount,,text,code\n", 'date,"amount,text,code\n', 'date,am"ount,text,code\n'],
)
def test_a_damaged_header_is_set_aside_like_a_record(put, header):
    table = any_header(put, header + ROWS)
    assert [",".join(row) for row in cells(table)] == ROWS.splitlines()
    assert lines(table) == list(range(2, 14))
    assert table.rejected.rows() == [(1, header.rstrip().encode(), "header_set_aside")]
    assert (table.counts.rows_in, table.counts.loaded, table.counts.set_aside) == (13, 12, 1)
    assert ("header_set_aside", 1) in codes(table)


def test_a_header_with_another_delimiter_is_read_aloud(put):
    table = any_header(put, NAMES.replace(",", ";") + ROWS)
    assert table.names == ["date", "amount", "text", "code"]
    assert table.counts.loaded == 12
    assert codes(table) == [("header_delimiter", 1)]


def test_a_wide_title_above_names_is_a_title(put):
    table = any_header(put, "Report,2024,of us\n" + NAMES + ROWS)
    assert table.names == ["date", "amount", "text", "code"]
    assert codes(table) == [("title_lines", 2)]


def test_among_words_only_a_short_first_line_is_undecided(put):
    with pytest.raises(InputRefused, match="line 1: 2 cells where the lines below have 3"):
        any_header(put, "one,twothree\n" + TEXT)


def test_numbers_with_blanks_between_them_are_not_read_without_a_header(put):
    with pytest.raises(InputRefused, match="ambiguous"):
        any_header(put, "1,5 2,5 3,5\n4,5 5,5 6,5\n7,5 8,5 9,5\n")


def test_a_year_above_years_is_a_value(put):
    table = any_header(put, "Adam,Karissa,2020\nAdam,Zhang,2020\nKarissa,Zhang,2021\n")
    assert table.counts.loaded == 3
    assert any_header(put, "place,2020\nhere,12\nthere,40\n").names == ["place", "2020"]


@pytest.mark.parametrize(
    "content",
    [
        "a/tables/one.csv\na/tables/two.csv\nb/tables/three.csv\n",
        "https://example.org/a/b\nhttps://example.org/c/d\nhttps://example.org/e/f\n",
        "day\n01/02/2024\n02/02/2024\n03/02/2024\n",
    ],
)
def test_paths_links_and_dates_alone_are_one_column(put, content):
    table = any_header(put, content)
    assert len(table.names) == 1


def test_slashes_in_every_line_may_part_cells(put):
    with pytest.raises(InputRefused, match="line 1: the delimiter is ambiguous"):
        any_header(put, "a/b/c\n1/2/3\n4/5/6\n7/8/9\n")


def test_messages_name_the_file_of_the_user_not_a_copy(put):
    content = "".join(f"2024-01-{day:02d}^{day}^a{day}\n" for day in range(1, 20))
    table = any_header(put, "day^number^code\n" + content.replace("2024-01-07", "seventh"))
    assert set(table.issues["file"]) == {"list.csv"}


@pytest.mark.parametrize("gap", ["", " "])
def test_decimal_commas_without_quotes_are_not_taken_for_a_short_header(put, gap):
    content = "".join(
        f"part {word},{gap}{place},{place * 7 % 100},{gap}Lyon\n" for place, word in enumerate("abcdefgh", 1)
    )
    with pytest.raises(InputRefused, match="line 1: 3 names for 4 cells"):
        any_header(put, f"name,{gap}amount,{gap}place\n" + content)


@pytest.mark.parametrize("name", ["*", "^a.*$", "^$"])
def test_a_header_that_the_engine_takes_for_a_pattern_is_a_name(put, name):
    table = any_header(put, f"id,{name}\n1,x\n2,y\n")
    assert table.names == ["id", "column 2"]
    assert cells(table) == [("1", "x"), ("2", "y")]
    assert codes(table) == [("unnamed_column", 1)]
