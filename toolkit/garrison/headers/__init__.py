"""Builders of header values behind the security headers middleware; no request in sight."""
