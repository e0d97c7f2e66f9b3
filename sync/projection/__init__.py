"""All that a partner can ever reach."""
