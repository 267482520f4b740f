"""The options of `garrison load`, a module for each subject."""
