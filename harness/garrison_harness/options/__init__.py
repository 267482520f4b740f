"""The options of `garrison check`, a module for each subject."""
