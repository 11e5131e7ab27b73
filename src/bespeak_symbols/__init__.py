"""What a repository's files define and use: the symbols, and the graph of who calls whom."""
