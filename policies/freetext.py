"""The free text of one deal, redacted by what else the deal, its account and its people hold, and by who is on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from mapping.values import Value
from policies.layout import TextCell
from policies.masking import Approved, FreeText, Masked, named_by
from policies.redaction import NOBODY_ELSE, Hidden, Others, hidden_of, redacted


class DealTexts:
    """One deal's texts at any rungs; each is made once for each set of what it is masked by."""

    __slots__ = ("_approved", "_hidden", "_lists", "_made", "_others", "_unread", "_values", "_zone")

    def __init__(
        self,
        values: Mapping[str, Value],
        lists: Mapping[str, Sequence[Mapping[str, Value]]],
        zone: tzinfo,
        approved: Approved,
        unread: frozenset[str],
        others: Others | None = NOBODY_ELSE,
    ) -> None:
        self._others = others
        self._values, self._lists, self._zone, self._approved, self._unread = values, lists, zone, approved, unread
        self._hidden: dict[Masked, Hidden] = {}
        self._made: dict[tuple[TextCell, Masked], FreeText] = {}

    def at(self, cell: TextCell, masked: Masked) -> FreeText | None:
        """A field's text as it would be shown; None where it is empty. Raises where its masks can't be made."""
        source = self._values.get(cell.field)
        if source is None:
            return None
        text = self._made.get((cell, masked))
        if text is None:
            shown = str(source) if cell.exact else redacted(str(source), self._masked_by(masked))
            text = self._made[cell, masked] = FreeText(cell.field, cell.rung, str(source), shown)
        return text

    def may_leave(self, cell: TextCell, text: FreeText) -> bool:
        """Whether it is shown without further ado, or a person has approved it as it stands."""
        return not cell.sealed or self._approved(text)

    def _masked_by(self, masked: Masked) -> Hidden:
        # INVARIANT: a text is not shown before all that has to be masked in it has been read.
        if self._others is None or any(mask.field in self._unread for mask in masked.hidden):
            raise ValueError("unread")
        found = self._hidden.get(masked)
        if found is None:
            hidden, known = (named_by(masks, self._values, self._lists, self._zone) for masks in masked)
            found = self._hidden[masked] = hidden_of(hidden, self._others, known)
        return found
