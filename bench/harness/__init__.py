"""What every benchmark stands on: samples, lines of results, peers, books of a given size."""
