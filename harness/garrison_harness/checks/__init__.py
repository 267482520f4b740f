"""What an audit asks and how it judges the answers, one module per family."""
