"""Content-Security-Policy: reading, writing, joining, and learning from reports; no request in sight."""
