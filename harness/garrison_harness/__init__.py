"""Boots any web app, attacks it from outside, and says what holds and what does not."""
