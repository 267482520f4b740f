"""What the OpenAPI contract means for requests: who may call, what is read, and what a client is told."""
