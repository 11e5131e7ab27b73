"""What a merge of two revisions means, symbol by symbol, and in which order branches should go in."""
