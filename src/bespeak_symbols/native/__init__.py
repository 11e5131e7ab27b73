"""The languages that can be read, each in a module (or package) of its own that is loaded for the first such file."""
