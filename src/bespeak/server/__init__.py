"""The book for every machine: an HTTP API, whoever asks verified, in one process that `bespeak serve` starts."""
