"""The vendor's door: the console."""
