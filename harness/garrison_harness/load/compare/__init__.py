"""Compares two variants of a target, and says how sure it is of the difference."""
