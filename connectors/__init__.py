"""Rooms that speak to a CRM: one folder each, behind one contract."""
