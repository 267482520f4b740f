"""Finds out what an app serves: from its OpenAPI document, from its router, or by following links."""
