"""The partners' door: portal and API."""
