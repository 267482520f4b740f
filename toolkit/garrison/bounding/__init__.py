"""What a raw request may be like: its URL, what its header lines say of its body, and the body itself."""
