"""Hardening under load: what the app keeps when quiet must hold while load runs."""
