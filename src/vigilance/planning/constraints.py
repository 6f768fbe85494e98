"""What the user asks of a plan beside the budget: shares, teams, seasons, countries, exclusions.

shares:      [{by: tier, is: 4, min: 0.1}, {by: country, is: BGD, max: 0.3}, {by: unit, is: North, min: 0.2}]
teams:       [{id: dhaka, countries: [BGD], languages: [bn], skills: [field], days_per_month: 20}]
seasons:     [{activities: ["01"], countries: [IND], months: [10, 11, 12]}]
no_unannounced: [CHN]
travel:      {BGD: 0.5}
exclude:     [S-12]
mandatory:   [{supplier_id: S-7, action: unannounced}]
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vigilance import rule_files
from vigilance.errors import UsageError
from vigilance.i18n import messages
from vigilance.planning.protocol import ACTIONS
from vigilance.rule_schema import validated

_ = messages("planning")

Share = Annotated[float, Field(ge=0, le=1)]
Month = Annotated[int, Field(ge=1, le=12)]
Days = Annotated[float, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=True)


class ShareOfDays(_Part):
    """A minimum or maximum share of the budget, in days on site.

    ``by`` is ``tier``, ``country`` (ISO 3166-1 alpha-3), ``activity`` (ISIC division) or a column of the
    user's file, such as a business unit; ``equals`` (written ``is``) the value meant.
    """

    by: str = Field(min_length=1)
    equals: str | int = Field(alias="is")
    min: Share | None = None
    max: Share | None = None

    @model_validator(mode="after")
    def _bounds(self) -> ShareOfDays:
        if self.min is None and self.max is None:
            raise ValueError(_("give min, max or both"))
        return self


class Team(_Part):
    """Auditors who travel together.

    Where they may work, what they speak, and the person-days they have a month.
    """

    id: str = Field(min_length=1)
    countries: list[str] = Field(default_factory=list)
    languages: list[str] = Field(default_factory=list)
    skills: list[str] = Field(default_factory=list)
    auditors: list[str] = Field(default_factory=list)
    days_per_month: Days | None = None
    months: dict[str, Days] = Field(default_factory=dict)


class Season(_Part):
    """Months in which an audit of these activities and countries can see something.

    An empty list means all.
    """

    activities: list[str] = Field(default_factory=list)
    countries: list[str] = Field(default_factory=list)
    months: list[Month] = Field(min_length=1)


class Must(_Part):
    """A site that has to be in the plan."""

    supplier_id: str = Field(min_length=1)
    action: str

    @model_validator(mode="after")
    def _known(self) -> Must:
        if self.action not in ACTIONS:
            raise ValueError(_("actions are {names}").format(names=", ".join(ACTIONS)))
        return self


class Constraints(_Part):
    """A whole constraints file; everything is optional."""

    shares: list[ShareOfDays] = Field(default_factory=list)
    teams: list[Team] = Field(default_factory=list)
    languages: dict[str, list[str]] = Field(default_factory=dict)
    seasons: list[Season] = Field(default_factory=list)
    no_unannounced: list[str] = Field(default_factory=list)
    travel: dict[str, Days] = Field(default_factory=dict)
    exclude: list[str] = Field(default_factory=list)
    mandatory: list[Must] = Field(default_factory=list)


def read(path: Path | None) -> Constraints:
    """The constraints of a file, none without a path. ``UsageError`` lists every flaw with line and key."""
    if path is None:
        return Constraints()
    try:
        tree = rule_files.read(path, str(path))
    except OSError as error:
        raise UsageError(_("cannot read {path}: {why}").format(path=path, why=error.strerror)) from error
    found = validated(Constraints, tree.content, tree, ()) if not tree.flaws else None
    if found is None or tree.flaws:
        raise UsageError("\n  ".join([_("the constraints file is wrong:"), *map(str, sorted(tree.flaws))]))
    return found
