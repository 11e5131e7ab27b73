"""One command-line layer for every program: declarations, a fast parser, and Click for help, errors and completion."""
