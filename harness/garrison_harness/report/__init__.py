"""The forms in which an audit is written down."""
