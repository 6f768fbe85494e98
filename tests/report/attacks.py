"""Names that attack whoever shows them, a list of sites that bear them, and everyone who reads a report."""

from collections.abc import Sequence

from vigilance.report.regulator import LAWS

READERS = ["csr", "board", "supplier:BD-1", *(f"regulator:{law}" for law in LAWS)]
HEADER = [
    *("supplier_id", "name", "country", "activity", "tier", "workers", "migrant_share", "recruitment_fees"),
    *("seasonal", "subcontracting", "spend_eur", "zone"),
]
LONG = "Très longue raison sociale " * 186
EVIL = {
    "NO-1": "<script>alert(1)</script>",
    "FR-1": '=HYPERLINK("http://example.com","x")',
    "DE-1": "Motoren \u202egnp.exe Nord",
    "BD-1": "a & b </script><img src=x onerror=alert(2)>",
    "MY-1": LONG,
    "QA-1": "+1|cmd",
}
SITES: Sequence[Sequence[object]] = [
    ("NO-1", EVIL["NO-1"], "Norway", "Computer programming", 1, 40, 0.05, "false", "false", "false", 1000, ""),
    ("FR-1", EVIL["FR-1"], "France", "Retail trade", 1, 60, 0.05, "false", "false", "false", 2000, ""),
    ("DE-1", EVIL["DE-1"], "Germany", "Manufacture of motor vehicles", 1, 800, 0.1, "false", "false", "false", "", ""),
    ("BD-1", EVIL["BD-1"], "Bangladesh", "Wearing apparel", 1, 900, 0.02, "", "false", "true", 50000, ""),
    ("MY-1", EVIL["MY-1"], "Malaysia", "Rubber products", 1, 3000, 0.7, "true", "false", "true", 70000, ""),
    ("QA-1", EVIL["QA-1"], "Qatar", "Construction of buildings", 2, 800, 0.9, "true", "false", "true", "", ""),
    ("IN-1", "Cotton farms Gujarat", "India", "Growing of cotton", 4, "", "", "", "true", "", "", ""),
    ("TM-1", "Mary cotton", "Turkmenistan", "Growing of cotton", 4, 300, 0.1, "", "true", "", 9000, ""),
]
