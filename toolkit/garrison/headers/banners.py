"""Headers that tell strangers what runs here, or what a debugger saw."""

from __future__ import annotations

from typing import Final

# After OWASP's list of headers to remove (owasp.org/www-project-secure-headers, "headers_remove.json").
BANNERS: Final = (
    "server",
    "x-powered-by",
    "x-powered-by-plesk",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-generator",
    "x-runtime",
    "x-version",
    "x-backend-server",
    "x-debug-token",
    "x-debug-token-link",
    "x-debug-exception",
    "x-debug-exception-file",
    "x-sourcefiles",
    "x-php-version",
    "x-python-version",
)
