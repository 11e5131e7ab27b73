"""The one adapter to git: what a repository's files say, running git safely, objects, work trees, trial merges."""
