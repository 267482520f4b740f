"""The engine behind the tracing middleware: whose child a span is, and what is recorded of a request."""
