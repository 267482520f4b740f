"""How long a client and an app may let the other side wait: one sweep, and what it looks at."""
