"""A small CRM that speaks both vendors' wire on loopback, for the demo and for tests."""
