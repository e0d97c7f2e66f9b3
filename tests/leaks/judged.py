"""Leaks in judgement: rules that decide otherwise, renders and redaction that tell more, checks of files left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from leaks.leak import MAIN, QUIET, Leak, Maker
from nasty import FILES
from proofs.twins import Theatre, Wrong
from proofs.versions import FIELDS, POLICY

from config.load import load
from config.words import Condition
from mapping.model import Broken
from policies.bounded import Bounded
from policies.directory import NOBODY
from policies.freetext import DealTexts
from policies.redaction import MASK, NOBODY_ELSE, masked_spans
from policies.rulebook import Rulebook
from sync.deciding.called import Called


def unknown_limits_nothing(_: Any) -> Any:
    return lambda rule, truth: truth is True


def everybody_is_admitted(_: Any) -> Any:
    return lambda self, situation: (True, self.rungs(self.in_effect(situation)))


def without(kept: Callable[[Any], bool]) -> Maker:
    """Rungs by those rules alone that are kept."""
    return lambda original: lambda self, effective: original(self, [each for each in effective if kept(each.rule)])


def length_of_hidden_rows(original: Any) -> Any:
    def rungs(self: Any, effective: Any) -> bytes:
        found = bytearray(original(self, effective))
        for length in self.lengths:
            found[length.row] = 1
        return bytes(found)

    return rungs


def newest_alone(_: Any) -> Any:
    return lambda self, deal, partner, share, now: self.first.judge(deal, partner, share, now)


def render(ladder: str, rung: int, more: Callable[[Any, Any], Any]) -> Maker:
    """A rung of a ladder that shows `more(shown, value)`."""

    def make(original: Any) -> Any:
        def renders(row: Any, calendar: Any) -> Any:
            made = list(original(row, calendar))
            if row.ladder == ladder:
                shown = made[rung]
                made[rung] = lambda value: more(shown, value)
            return tuple(made)

        return renders

    return make


def _of_another_currency(shown: Any, value: Any) -> Any:
    try:
        return shown(value)
    except LookupError:
        return shown((value[0], "JPY"))


def masks_as_long_as_what_they_hide(_: Any) -> Any:
    def redacted(text: str, hidden: Any) -> str:
        for start, stop in reversed(masked_spans(text, hidden)):
            text = text[:start] + MASK[0] * (stop - start) + text[stop:]
        return text

    return redacted


def masked_without_people(original: Any) -> Any:
    return lambda masks, values, lists, zone: original(masks, values, dict.fromkeys(lists, ()), zone)


def others_are_named(_: Any) -> Any:
    return lambda self, owner, sides: NOBODY_ELSE


def the_reader_is_named(original: Any) -> Any:
    """Each text is masked by the others' names only, and made once: for the first who reads it."""
    return lambda self, owner, sides: replace(original(self, owner, sides[1:]), everywhere=NOBODY)


def masked_as_for_the_first(original: Any) -> Any:
    def at(self: Any, cell: Any, masks: Any) -> Any:
        return original(self, *next((each for each in self._made if each[0] == cell), (cell, masks)))

    return at


def empty_is_always(original: Any) -> Any:
    return lambda self, value, *rest, **more: "always" if value == {} else original(self, value, *rest, **more)


def unclassified_is_harmless(original: Any) -> Any:
    return lambda name, type, classes, *rest, **more: original(name, type, frozenset({"basics"}), *rest, **more)


def classes_stay_behind(original: Any) -> Any:
    def derive(row: Any, lineage: Any, rows: Any, known: Any) -> None:
        original(row, lineage, rows, known)
        if row.name in lineage.rows:
            lineage.rows[row.name] = replace(lineage.rows[row.name], classes=row.classes)

    return derive


def unheard(words: str) -> Maker:
    """Problems of which the text has these words are not told."""
    return lambda original: lambda *given: [each for each in original(*given) if words not in each.message]


def refuses(file: str, text: str, instead: str) -> Callable[[Theatre], None]:
    """A scene: these files are refused when they are read."""

    def scene(_: Theatre) -> None:
        assert FILES[file].count(text) == 1
        try:
            load({**FILES, file: FILES[file].replace(text, instead)})
        except Broken:
            return
        raise Wrong(f"{file} is taken with `{instead}`")

    return scene


SECOND = ("Opportunity", "D2")
_SHOWN = "fields: [deal.name, account.name]"
JUDGED = (
    Leak(
        "unknown limits nothing",
        "policies.rulebook",
        "takes_effect",
        unknown_limits_nothing,
        caught=Wrong,
        steps=(("partner", "GOLD", "Nda__c", None),),
    ),
    Leak("everybody has every deal", Rulebook, "weigh", everybody_is_admitted, caught=Wrong),
    Leak("limits are forgotten", Rulebook, "rungs", without(lambda rule: rule.kind == "show"), caught=Wrong),
    Leak("limits on classes are forgotten", Rulebook, "rungs", without(lambda rule: not rule.classes), caught=Wrong),
    Leak(
        "hidden rows are counted",
        Rulebook,
        "rungs",
        length_of_hidden_rows,
        steps=(("answer", "PLAT", "D1", "declined"),),
        twin=((("drop", "Contact", "P3"),),),
    ),
    Leak(
        "a bounded version shows what still waits",
        Bounded,
        "judge",
        newest_alone,
        caught=Wrong,
        steps=(("alone", "year", "band"),),
    ),
    Leak(
        "a band moves with the amount",
        "policies.compile",
        "renders_of",
        render("money", 1, lambda shown, value: {**shown(value), "near": str(value[0] // 1_000_000)}),
        twin=(((*MAIN, "Amount", 3_000_000),),),
    ),
    Leak(
        "a currency without bands borrows others'",
        "policies.compile",
        "renders_of",
        render("money", 1, _of_another_currency),
        caught=Wrong,
        steps=((*MAIN, "CurrencyIsoCode", "EUR"),),
    ),
    Leak(
        "a quarter names the day",
        "policies.compile",
        "renders_of",
        render("date", 2, lambda shown, value: {**shown(value), "day": value[8:10]}),
        twin=(((*MAIN, "CloseDate", "2026-07-16"),),),
    ),
    Leak(
        "initials go on",
        "policies.compile",
        "renders_of",
        render("person", 2, lambda shown, value: shown(value) + value[1]),
        steps=(("Contact", "P2", "AccountId", "C2"), QUIET),
        twin=((), (("Contact", "P2", "Name", "Jim Dean"),)),
    ),
    Leak(
        "a domain tells how long the address is",
        "policies.compile",
        "renders_of",
        render("email", 2, lambda shown, value: f"{len(value)} {shown(value)}"),
        twin=((("Contact", "P3", "Email", "sato@nordwind.example"),),),
    ),
    Leak(
        "a mask is as long as what it hides",
        "policies.freetext",
        "redacted",
        masks_as_long_as_what_they_hide,
        steps=(("Opportunity", "D2", "NextStep", "budget 8,642,000円 ok"),),
        twin=(
            (
                ("Opportunity", "D2", "Amount", 12_340_000),
                ("Opportunity", "D2", "NextStep", "budget 12,340,000円 ok"),
            ),
        ),
    ),
    Leak(
        "a text names the customer's people",
        "policies.freetext",
        "named_by",
        masked_without_people,
        caught=Wrong,
        steps=((*MAIN, "Approved__c", True), (*MAIN, "NextStep", "call 김민수")),
    ),
    Leak(
        "a text names the others on the deal",
        Called,
        "beside",
        others_are_named,
        steps=((*SECOND, "NextStep", "SILV 商会も提案"),),
        twin=((("partner", "SILV", "Name", "銀河商事"), (*SECOND, "NextStep", "銀河商事も提案")),),
    ),
    Leak(
        "a text names partners that are not on the deal",
        "sync.deciding.called",
        "directory_of",
        lambda original: lambda names: NOBODY,
        steps=((*SECOND, "NextStep", "PLAT 商会も提案"),),
        twin=((("partner", "PLAT", "Name", "銀河商事"), (*SECOND, "NextStep", "銀河商事も提案")),),
    ),
    Leak(
        "nobody looks for a new partner's name",
        "sync.mirror.pull",
        "look_through",
        lambda original: lambda house: 0,
        caught=Wrong,
        steps=((*SECOND, "NextStep", "銀河商事も提案"), ("partner", "PLAT", "Name", "銀河商事")),
    ),
    Leak(
        "a text names its first reader to all",
        Called,
        "beside",
        the_reader_is_named,
        caught=Wrong,
        steps=((*SECOND, "NextStep", "GOLD 商会とSILV 商会"),),
    ),
    Leak(
        "a text is masked as for its first reader",
        DealTexts,
        "at",
        masked_as_for_the_first,
        caught=Wrong,
        steps=((*MAIN, "Approved__c", True), (*MAIN, "NextStep", "budget 4,321,000円 ok")),
    ),
    Leak(
        "a text leaves without approval",
        "policies.layout",
        "needs_approval",
        lambda original: lambda row, rung, never_share: False,
        caught=Wrong,
        steps=(("together", "whole step"),),
    ),
    Leak(
        "an empty condition always holds",
        Condition,
        "_deserialize",
        empty_is_always,
        scene=refuses(POLICY, "when: {partner.tier: gold}, fields: [deal.close]", "when: {}, fields: [deal.close]"),
        caught=Wrong,
    ),
    Leak(
        "what nobody classified is harmless",
        "config.agree",
        "FieldRow",
        unclassified_is_harmless,
        scene=refuses(FIELDS, "  deal.region:      {class: plan, ladder: picklist}\n", ""),
        caught=Wrong,
    ),
    Leak(
        "a derived field leaves its classes behind",
        "policies.lineage",
        "_derive",
        classes_stay_behind,
        scene=refuses(FIELDS, "if deal.amount >= 20M JPY", "if deal.margin >= 20M JPY"),
        caught=Wrong,
    ),
    Leak(
        "what is never shared is shown by a rule",
        "policies.compile",
        "problems_of",
        unheard("never be shared"),
        scene=refuses(POLICY, _SHOWN, "fields: [deal.name, account.name, deal.margin]"),
        caught=Wrong,
    ),
    Leak(
        "a condition tells what is hidden",
        "policies.lint",
        "_tells",
        lambda original: lambda *given: iter(()),
        scene=refuses(POLICY, "tells_partner: the deal is approved, ", ""),
        caught=Wrong,
    ),
)
