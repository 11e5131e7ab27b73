"""What pages show, as values: pure functions of what was read from the book and of who looks."""
