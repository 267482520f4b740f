"""What `[tool.garrison]` in a TOML file says, in the place of flags."""
