"""What the users that ship speak and understand; nothing here needs Locust."""
