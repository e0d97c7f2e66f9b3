"""Compares what we have of a CRM with what it has."""
