"""The groups of rows; each module has ``measure(bench) -> Iterator[Line]``."""
