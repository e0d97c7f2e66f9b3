"""The disclosure ledger: which personal data a partner could see or received, when, by which rule and basis."""
