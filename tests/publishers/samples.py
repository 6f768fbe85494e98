"""Small made-up files in the layouts in which the publishers give theirs. Dates and figures are invented."""

from __future__ import annotations

import gzip
from pathlib import Path

import openpyxl

NORMLEX_BY_INSTRUMENT = """Country,Date,Status,Note
Albania,25 Jun 1957,In Force,
"Bolivia (Plurinational State of)",11 Jan 2005,In Force,
Côte d'Ivoire,21 Nov 1960,In Force,
Atlantis,1 Jan 1950,In Force,
Malaysia,13 Oct 1958,Not in force,Denounced on 10 Jan 1990
"""

NORMLEX_BY_COUNTRY = """<!DOCTYPE html><html><head><title>Ratifications for China</title></head><body>
<h1>Ratifications for China</h1>
<table><tr><th>Convention</th><th>Date</th><th>Status</th><th>Note</th></tr>
<tr><td>C029 - Forced Labour Convention, 1930 (No. 29)</td><td>12 Aug 2022</td><td>Not in force</td>
<td>The Convention will enter into force for China on 12 Aug 2023.</td></tr>
<tr><td>C138 - Minimum Age Convention, 1973 (No. 138)<br>Minimum age specified: 16 years</td><td>28 Apr 1999</td>
<td>In Force</td><td>Minimum age specified: 16 years</td></tr>
<tr><td>C087 - Freedom of Association</td><td>1 Jan 1999</td><td>In Force</td><td></td></tr>
</table></body></html>"""

GOODS = [
    ["List of Goods Produced by Child Labor or Forced Labor", None, None],
    ["Country/Area", "Good", "Exploitation Type"],
    ["Argentina", "Garments", "Child Labor, Forced Labor"],
    ["Burma", "Jade", "Child Labor, Forced Labor, Forced Child Labor"],
    ["China", "Squid", "Forced Labor"],
    ["Congo, Democratic Republic of the", "Gold", "Child Labor"],
]

SWEAT_AND_TOIL = """[{"Name": "Albania", "Advancement_Level": "Moderate Advancement", "Year": 2023,
 "Conventions": {"C_138_Ratified": "Yes", "C_182_Ratified": "Yes"},
 "Enforcements": {"Labor_Inspectors": "1,050‡", "Unannounced_Inspections_Permitted": "Unknown*"}},
 {"Name": "Angola", "Advancement_Level": "No Assessment", "Year": 2023,
 "Conventions": {"C_138_Ratified": "N/A", "C_182_Ratified": "No"}, "Enforcements": {"Labor_Inspectors": "Unknown"}}]"""

WORLD_BANK_API = """[{"page": 1, "pages": 1, "total": 4}, [
 {"indicator": {"id": "SI.POV.GINI", "value": "Gini index"}, "country": {"id": "BR", "value": "Brazil"},
  "countryiso3code": "BRA", "date": "2031", "value": 50.5, "unit": ""},
 {"indicator": {"id": "SI.POV.GINI", "value": "Gini index"}, "country": {"id": "BR", "value": "Brazil"},
  "countryiso3code": "BRA", "date": "2030", "value": 51.5, "unit": ""},
 {"indicator": {"id": "SI.POV.GINI", "value": "Gini index"}, "country": {"id": "1W", "value": "World"},
  "countryiso3code": "WLD", "date": "2031", "value": 40, "unit": ""},
 {"indicator": {"id": "SI.POV.GINI", "value": "Gini index"}, "country": {"id": "FR", "value": "France"},
  "countryiso3code": "FRA", "date": "2031", "value": null, "unit": ""}]]"""

WORLD_BANK_WIDE = """"Data Source","World Development Indicators",

"Last Updated Date","2031-01-01",

"Country Name","Country Code","Indicator Name","Indicator Code","2029","2030","2031",
"Brazil","BRA","Rule of Law: Estimate","RL.EST","-0.2","-0.3","",
"World","WLD","Rule of Law: Estimate","RL.EST","0","0","0",
"France","FRA","Gini index","SI.POV.GINI","","31.5","32.5",
"France","FRA","Something else","XX.YY.ZZ","1","2","3",
"""

V_DEM = """country_name,country_text_id,country_id,year,v2x_rule,v2xcl_slave,other
Mexico,MEX,3,2029,0.311,0.7,1
Mexico,MEX,3,2030,0.322,,1
Zanzibar,ZZB,236,2030,0.5,0.5,1
"""

ILOSTAT = """ref_area,source,indicator,sex,classif1,time,obs_value,obs_status
FRA,X,SDG_0831_SEX_ECO_RT_A,SEX_T,ECO_AGGREGATE_TOTAL,2030,9.5,
FRA,X,SDG_0831_SEX_ECO_RT_A,SEX_F,ECO_AGGREGATE_TOTAL,2030,8.5,
FRA,X,SDG_0831_SEX_ECO_RT_A,SEX_T,ECO_AGGREGATE_AGR,2031,20.5,
FRA,X,SDG_0831_SEX_ECO_RT_A,SEX_T,ECO_AGGREGATE_TOTAL,2028,7.5,
X01,X,SDG_0831_SEX_ECO_RT_A,SEX_T,ECO_AGGREGATE_TOTAL,2030,50,
"""

TIP_LONG = (
    "Country,Tier,Year\nFrance,Tier 1,2031\nBurma,Tier 3,2031\nCuba,Tier 2 Watch List,2031\nHaiti,Special Case,2031\n"
)
TIP_WIDE = "Country,2030,2031\nFrance,1,1\nBurma,2WL,3\n"
TIP_PLACEMENTS = """<html><body><h2>Tier Placements</h2><table>
<tr><th>Tier 1</th><th>Tier 2</th><th>Tier 2</th><th>Tier 2 Watch List</th><th>Tier 3</th></tr>
<tr><td>France</td><td>Albania</td><td>Türkiye</td><td>Algeria</td><td>Burma</td></tr>
<tr><td>Sweden</td><td>Angola</td><td></td><td></td><td>China (PRC)</td></tr></table></body></html>"""

CBP = """Fiscal Year,Action Type,Effective Date,Country,Industry,Merchandise,Entity,Status
2031,Withhold Release Order,11/04/2030,Malaysia,Rubber,Gloves,Sample Gloves Berhad,Active
2031,Finding,"January 28, 2031",Taiwan,Seafood,Tuna,Vessel Sample No. 1,Modified
2031,Withhold Release Order,soon,Malaysia,Rubber,Gloves,Undated Berhad,Active
"""

UFLPA = """Name of Entity,Effective Date
"Sample Textile Co., Ltd. (also known as Sample Mill)","June 21, 2030"
Sample Silicon Group,2030-08-02
"""


def write(folder: Path, name: str, text: str) -> Path:
    """A text as a file (packed when its name ends in ``.gz``)."""
    path = folder / name
    content = text.encode("utf-8")
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
    return path


def workbook(folder: Path, name: str, rows: list[list[str | None]]) -> Path:
    """Rows as the first sheet of a workbook."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / name)
    return folder / name
