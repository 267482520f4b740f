"""When to refuse work: the lag of the event loop, and a limit of requests in flight.

Only `visit` reads messages.
"""
