"""The terminal: the commands of `sudare`."""
