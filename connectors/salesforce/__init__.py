"""Salesforce as a connector: sign-in, reading by keyset, logged actions as closed tasks."""
