"""The two dictionaries between a CRM and our words, and the expression language."""
