"""A request that logs the audit in, and what it yields."""
