"""The machine doors: statements and CRMs' notices."""
