"""A life whose CRMs send notices to a door that runs: senders on one side, the house's jobs on the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from demo_house import ACCOUNT, CONTACT, DEAL, ORGS, Life, crm_id
from doors import behind_a_port

from connectors.sandbox.hubspot.notices import APP, PORTAL, HubspotSender
from connectors.sandbox.salesforce.notices import ORGANIZATION, SalesforceSender
from sync.mirror.reread import reread
from webhook_app.partner.app import create_partner_app

PATH_SECRET = "Zr8_kU2vQm4-xT6bN0sWcE1y"
APP_SECRET = "c0ffee00-0000-4000-8000-000000000001"
HS_AUTH = "auth: {flow: token, token: file:.sudare/hubspot_token}\n"
SF_AUTH = "client_secret: file:.sudare/sf_client_secret}\n"
# What each CRM calls the same things: a deal of the story, its customer, and a gold partner that is on it.
SF = {"on": "sf", "deal": "YOKOHAMA_CORE", "gold": "MINATO", "customer": "YOKOHAMA", "name": "Name"}
SF |= {"amount": "Amount", "tier": "Partner_Tier__c", "lower": "Silver"}
HS = {"on": "hs", "deal": "TATESHINA_ERP", "gold": "HOKUTO", "customer": "TATESHINA", "name": "dealname"}
HS |= {"amount": "amount", "tier": "partner_tier", "lower": "silver"}
BARE = "MISAKI_PLM"  # a deal of HubSpot that no partner is on
OBJECTS = {"deal": DEAL, "account": ACCOUNT, "contact": CONTACT}


@dataclass(slots=True)
class Hearing:
    """A life, its door's address, and what each CRM sends there."""

    life: Life
    door: str
    hs: HubspotSender
    sf: SalesforceSender

    def tell(self, on: str, kind: str, key: str, what: str = "propertyChange") -> None:
        """The CRM says that a record of the story (deal, account or contact) changed."""
        object, id = OBJECTS[kind][on], crm_id(on, key)
        if on == "hs":
            assert self.hs.send([self.hs.event(object, id, what)]) == 200
        else:
            assert self.sf.send([self.sf.notification(object, id)])

    def edit(self, on: str, kind: str, key: str, **fields: Any) -> None:
        """Change a record in the CRM, which says so; nothing is read yet."""
        self.life.edit(on, OBJECTS[kind][on], key, **fields)
        self.tell(on, kind, key)

    def reread(self, on: str) -> int:
        """One run of the job."""
        return reread(self.life.house, on, self.life.opened[on])

    def calls(self, on: str) -> list[str]:
        """The paths and queries that were asked of the CRM since the last time."""
        wire = "/services/data" if on == "sf" else "/crm/"
        found = [f"{call.path}?{call.query}" for call in self.life.sandbox.calls if call.path.startswith(wire)]
        self.life.sandbox.calls.clear()
        return found


def allow_notices(life: Life, *, more: str = "") -> None:
    """Put a configuration in force under which both CRMs may send notices."""
    for name, text in (("sf_notices", PATH_SECRET), ("hs_app_secret", APP_SECRET)):
        secret = life.house.folder / ".sudare" / name
        secret.touch(mode=0o600)
        secret.write_text(text, encoding="utf-8")
    hs = f"    portal_id: '{PORTAL}'\n    notices: {{secret: file:.sudare/hs_app_secret, app_id: '{APP}'{more}}}\n"
    sf = f"    notices: {{secret: file:.sudare/sf_notices, organization_id: {ORGANIZATION}}}\n"
    path = life.house.folder / "sudare.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(HS_AUTH, HS_AUTH + hs), encoding="utf-8")
    life.apply(settings=(SF_AUTH, SF_AUTH + sf))
    life.reopen()


@contextmanager
def hearing(life: Life) -> Iterator[Hearing]:
    """The partners' door of a life on a port of its own, and CRMs that send to it."""
    allow_notices(life)
    public = life.house.workspace().serving.partner_url
    assert set(ORGS) == {"hs", "sf"}
    with behind_a_port(create_partner_app(life.house)) as door:
        yield Hearing(
            life,
            door,
            HubspotSender(life.crm, f"{public}/notices/hs", APP_SECRET, to=door),
            SalesforceSender(life.crm, f"{public}/notices/sf/{PATH_SECRET}", to=door),
        )
