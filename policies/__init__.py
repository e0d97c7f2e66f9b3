"""Judgement: which partner sees which field of which deal, how sharply."""
