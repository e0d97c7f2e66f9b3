"""YAML to objects with positions, and back to the word to fix."""
