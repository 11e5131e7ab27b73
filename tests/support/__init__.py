"""What the tests share: servers, child processes, the checker of histories."""
