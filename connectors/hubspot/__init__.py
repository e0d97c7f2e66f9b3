"""The HubSpot connector: hubspot-api-client's own calls, with raw bytes taken from them."""
