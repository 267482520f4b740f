"""Breaks something under a constant load, and says whether the app held."""
