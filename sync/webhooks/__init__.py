"""Tells partners by a webhook that their feed has gone on."""
