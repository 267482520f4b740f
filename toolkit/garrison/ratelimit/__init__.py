"""Stores and algorithms behind the rate limit middleware; no request in sight."""
