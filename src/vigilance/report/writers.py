"""The registry of formats: a writer turns a request into one file.

To add a format, write a module with a function under ``@writer("ext")`` and name it in ``MODULES``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vigilance.errors import UsageError
from vigilance.i18n import messages

if TYPE_CHECKING:
    from vigilance.report.document import Document
    from vigilance.report.material import Material

_ = messages("report")


@dataclass(frozen=True)
class Request:
    """What a writer gets: the material, the document made for this audience, and who reads it.

    ``audience`` is ``csr``, ``board``, ``supplier:<id>`` or ``regulator:<law>``.
    """

    material: Material
    document: Document
    audience: str

    @property
    def whole_list(self) -> bool:
        """Whether this reader works with every site (the interactive page and the full workbook)."""
        return self.audience == "csr"


Writer = Callable[[Request], bytes]
MODULES: Final = {"html": "html", "xlsx": "workbook", "pdf": "pdf", "md": "markdown"}
FORMATS: Final = tuple(MODULES)
_writers: dict[str, Writer] = {}


def writer(extension: str) -> Callable[[Writer], Writer]:
    """Register a function as the writer of a format."""

    def register(function: Writer) -> Writer:
        _writers[extension] = function
        return function

    return register


def find(extension: str) -> Writer:
    """The writer of a format, imported when first asked for. Raises ``UsageError`` when there is none."""
    if extension not in MODULES:
        raise UsageError(
            _("there is no report format {name}").format(name=extension),
            hint=_("formats: {names}").format(names=", ".join(FORMATS)),
        )
    importlib.import_module(f"vigilance.report.{MODULES[extension]}")
    return _writers[extension]
