"""What proxies say of the requests that they pass on, and how much of it counts; no ASGI inside."""
