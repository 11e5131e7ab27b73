"""The runner as a dispatcher sees it: what it is asked, what it answers, and where it is."""
