"""The doors: partner, vendor, hooks, identity, terminal."""
