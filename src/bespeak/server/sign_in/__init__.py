"""Signing in: peers of the Unix socket, tokens, OpenID Connect, workloads of CI systems, a proxy's header."""
