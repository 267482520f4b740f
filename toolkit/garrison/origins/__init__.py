"""Judges by what browsers say of a request where it comes from; an engine, without any ASGI."""
