"""Who has a deal and how sharply: decided, written, ended."""
