"""Puts into a HubSpot account what Sudare needs: the property that keys notes, the summary's, association labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from connectors.base import BadRecord, ConnectionSettings, CrmError, NeedsAdmin, TryAgain
from connectors.hubspot import card
from connectors.hubspot.associations import read_labels
from connectors.hubspot.session import Session
from connectors.hubspot.shapes import properties
from connectors.hubspot.ways import KEY_PROPERTY
from connectors.installing import Installer, Step, Wanted

GROUP = "sudare"
UNIQUE = "HubSpot itself refuses a second note under one key"
NOT_UNIQUE = "notes are found again by it; HubSpot does not refuse a second one under one key"
LABELS_ARE_FOR = (
    "labels need HubSpot Professional or Enterprise, and ten fit a pair of objects; without them, name partners by a "
    "property of the deal: `via: key`"
)


def open_installer(settings: ConnectionSettings) -> Installer:
    """An installer for the account of a connection; its key needs the schemas' write scopes."""
    return HubSpotInstaller(settings)


class HubSpotInstaller:
    """One account, and what it should have. HubSpot can't try without doing: a check only looks."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._session = Session(settings)

    def files(self, wanted: Wanted) -> Mapping[str, bytes]:
        """A project with an app card, for `hs project upload`. NeedsAdmin where no property is written to show."""
        for names in wanted.texts.values():
            for name in names:
                return card.files(name)
        raise NeedsAdmin(
            "the card shows the deal's text property that `summary_fields` of writeback.yaml names: add it"
        )

    def install(self, wanted: Wanted, *, deploy: bool) -> Sequence[Step]:
        """Each property and label with its state. What is refused stops no other."""
        return [*self._key(deploy), *self._texts(wanted, deploy), *self._labels(wanted, deploy)]

    def close(self) -> None:
        """Give back sockets."""
        self._session.close()

    def _key(self, deploy: bool) -> Iterator[Step]:
        what = f"property notes.{KEY_PROPERTY}"
        known = {one.name: one for one in properties(self._session, "notes")}.get(KEY_PROPERTY)
        if known is not None:
            yield Step(what, "there", UNIQUE if known.hasUniqueValue else NOT_UNIQUE)
            return
        if not deploy:
            yield Step(what, "would be made")
            return
        told = "Names what a partner did, so that Sudare logs it once. Not for people."
        wish = _property(KEY_PROPERTY, "Sudare key", "text", told)
        # Whether activities take unique properties is written nowhere: the account itself says.
        unique = self._made(what, partial(self._create, "notes", {**wish, "hasUniqueValue": True}), UNIQUE)
        if unique.state == "made":
            yield unique
        else:
            yield self._made(what, partial(self._create, "notes", wish), NOT_UNIQUE)

    def _texts(self, wanted: Wanted, deploy: bool) -> Iterator[Step]:
        for object, names in wanted.texts.items():
            known = {one.name for one in properties(self._session, object)}
            for name in names:
                told = "Written by Sudare: which partners see this deal, and how much of it."
                wish = _property(name, "Shared with partners", "textarea", told)
                make = partial(self._create, object, wish)
                yield self._step(f"property {object}.{name}", name in known, deploy, make)

    def _labels(self, wanted: Wanted, deploy: bool) -> Iterator[Step]:
        ends = ((wanted.deal, "companies"), ("companies", wanted.deal)) if wanted.labels else ()
        known = {one.label for pair in ends for one in read_labels(self._session, *pair)[0]}
        for label in wanted.labels:
            body = {"label": label, "name": _internal(label)}
            make = partial(self._session.send, self._session.labels.create, wanted.deal, "companies", body)
            step = self._step(f"label {wanted.deal} - companies: {label}", label in known, deploy, make)
            yield replace(step, text=f"{step.text}; {LABELS_ARE_FOR}") if step.state == "refused" else step

    def _create(self, object: str, wish: Mapping[str, Any]) -> None:
        with suppress(BadRecord):  # it is there from another time; where it is not, the property is refused in turn
            group = {"name": GROUP, "label": "Sudare", "displayOrder": -1}
            self._session.send(self._session.groups.create, object, group)
        # A name that was archived comes back.
        self._session.send(self._session.properties.create, object, wish)

    def _step(self, what: str, there: bool, deploy: bool, make: Callable[[], object]) -> Step:
        if there:
            return Step(what, "there")
        return self._made(what, make) if deploy else Step(what, "would be made")

    def _made(self, what: str, make: Callable[[], object], text: str = "") -> Step:
        try:
            make()
        except TryAgain:
            raise
        except CrmError as problem:
            return Step(what, "refused", str(problem))
        return Step(what, "made", text)


def _property(name: str, label: str, field_type: str, told: str) -> dict[str, Any]:
    fixed = {"type": "string", "fieldType": field_type, "groupName": GROUP}
    return {"name": name, "label": label, "description": told, **fixed}


def _internal(label: str) -> str:
    """A label's internal name: HubSpot takes letters, digits and underscores."""
    plain = re.sub(r"\W+", "_", label.lower(), flags=re.ASCII).strip("_")
    return f"sudare_{plain or label.encode().hex()[:40]}"
