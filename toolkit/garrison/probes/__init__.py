"""What a process asks of what it depends on, before it says that it is ready."""
