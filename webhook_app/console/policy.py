"""The console's policy page: every field in every situation that the rules in force tell apart, and why."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from policies.matrix import MOST_COLUMNS, Alternatives, Cell, Line, Matrix, matrix
from policies.model import LADDERS
from sync import board
from webhook_app.console.asked import chosen_partner
from webhook_app.console.plans import standing_of
from webhook_app.door import this_house
from webhook_app.guard import takes
from webhook_app.pages import page
from webhook_app.texts.fields import in_reading_order

policy = Blueprint("policy", __name__)
HIDDEN = "hide"
_STAYS = 4  # clauses of a column that stay in sight when the grid scrolls; above, its number does
_ROOTS = ("account", "deal", "contacts", "products")  # in this order; other lists by name


@policy.get("/policy")
@takes("by", "class", "partner")
def grid() -> Response:
    """The grid: fields down, situations across."""
    house = this_house()
    by = request.args.get("by")
    found = _matrix(by)
    table = house.workspace().policy.table
    chosen, wanted = chosen_partner(), request.args.get("class") or None
    if wanted is not None and wanted not in table.classes:
        abort(400)
    columns: Sequence[int] = range(len(found.columns))
    if chosen is not None:
        columns = sorted(found.columns_of(board.partner_fields(house, chosen.id), house.clock()))
    return page(
        "console/policy.html",
        matrix=found,
        columns=columns,
        tall=any(_clauses(found.columns[number]) > _STAYS for number in columns),
        groups=_groups([line for line in found.lines if wanted is None or wanted in line.row.classes]),
        classes=table.classes,
        never=table.never_share,
        wanted=wanted,
        partners=board.all_partners(house),
        chosen=chosen,
        by=by,
        too_many=MOST_COLUMNS if _left_open(found, by) else None,
        look=look_of,
        plans=standing_of(house),
    )


@policy.get("/policy/<int:column>/<field>")
@takes("by")
def cell(column: int, field: str) -> Response:
    """Why a field is shown as it is in one situation."""
    by = request.args.get("by")
    found = _matrix(by)
    try:
        reasons = found.reasons(field, column)
    except LookupError:
        abort(404)
    line = next(line for line in found.lines if line.row.name == field)
    return page(
        "console/policy_cell.html",
        line=line,
        never=this_house().workspace().policy.table.never_share,
        situation=found.columns[column],
        number=column,
        reasons=reasons,
        by=by,
        look=look_of,
    )


def look_of(line: Line, rungs: Cell) -> str:
    """How a cell looks: nothing, a part, all, or what the deal decides; never told by colour alone."""
    if len(rungs) != 1:
        return "open"
    ladder = LADDERS[line.row.ladder]
    return "none" if rungs[0] == HIDDEN else "full" if rungs[0] == ladder[-1] else "part"


def _matrix(by: str | None) -> Matrix:
    house = this_house()
    with house.reading() as tx:
        judge = house.in_force(tx).judge
    return matrix(judge, None if by is None else by.split(","))


def _left_open(found: Matrix, by: str | None) -> set[str]:
    """What was to be told apart, but would make too many columns."""
    wanted = set(found.attributes if by is None else by.split(","))
    return (wanted & set(found.attributes)) - set(found.apart)


def _clauses(column: Alternatives) -> int:
    return sum(map(len, column.when))


def _groups(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """The lines of account, deal and each list, in this order; fields as a person reads them."""
    by_name = {line.row.name: line for line in lines}
    groups: dict[str, list[Line]] = {}
    for name in in_reading_order(by_name):
        groups.setdefault(name.partition(".")[0].removesuffix("[]"), []).append(by_name[name])
    return dict(sorted(groups.items(), key=lambda group: _place(group[0])))


def _place(root: str) -> tuple[int, str]:
    return (_ROOTS.index(root) if root in _ROOTS else len(_ROOTS)), root
