"""uvicorn's HTTP protocols with what only a protocol can refuse: slow, oversized and ambiguous heads."""
