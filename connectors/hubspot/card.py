"""A HubSpot project with one app card: on a deal, who outside sees it. To be uploaded by HubSpot's own `hs`.

The card reads the record's own property, so it calls no server of ours and needs no address that HubSpot may reach.
"""

from __future__ import annotations

import json

PLATFORM = "2026.03"  # of HubSpot's developer platform
_CARD = """import React from 'react';
import {{ EmptyState, ErrorState, hubspot, LoadingSpinner, Text }} from '@hubspot/ui-extensions';
import {{ useCrmProperties }} from '@hubspot/ui-extensions/crm';

hubspot.extend<'crm.record.tab'>(() => <SharedWithPartners />);

// Sudare writes this property: which partners see the deal, and how much of it.
const SharedWithPartners = () => {{
  const {{ properties, isLoading, error }} = useCrmProperties([{property}]);
  if (isLoading) {{
    return <LoadingSpinner label="" />;
  }}
  if (error) {{
    return <ErrorState title="Sudare: this property can't be read" />;
  }}
  const told = properties[{property}];
  if (!told) {{
    return <EmptyState title="No partner sees this deal" layout="vertical" />;
  }}
  return (
    <>
      {{told.split('\\n').map((line, number) => (
        <Text key={{number}}>{{line}}</Text>
      ))}}
    </>
  );
}};
"""


def files(property: str) -> dict[str, bytes]:
    """Path in the project -> bytes. `property`: the deal's text property that Sudare writes."""
    name = "Shared with partners"
    app = {
        "uid": "sudare_app",
        "type": "app",
        "config": {
            "name": "Sudare",
            "description": "Shows on a deal which partners see it.",
            "distribution": "private",
            "auth": {"type": "static", "requiredScopes": ["crm.objects.deals.read"]},
            "permittedUrls": {"fetch": [], "iframe": [], "img": []},
        },
    }
    card = {
        "uid": "sudare_shared_with_partners",
        "type": "card",
        "config": {
            "name": name,
            "description": "Which partners see this deal, and how much of it.",
            "location": "crm.record.tab",
            "entrypoint": "/app/cards/SharedWithPartners.tsx",
            "objectTypes": ["deals"],
        },
    }
    needs = {"@hubspot/ui-extensions": "latest", "react": "^18.2.0"}
    return {
        "hsproject.json": _json({"name": "sudare", "srcDir": "src", "platformVersion": PLATFORM}),
        "src/app/app-hsmeta.json": _json(app),
        "src/app/cards/shared-with-partners-hsmeta.json": _json(card),
        "src/app/cards/SharedWithPartners.tsx": _CARD.format(property=json.dumps(property)).encode(),
        "src/app/cards/package.json": _json({"name": "sudare-cards", "private": True, "dependencies": needs}),
    }


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
