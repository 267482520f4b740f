"""One middleware a file, every one read alike: the section, the class, the call."""
