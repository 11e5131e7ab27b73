"""Sockets and connections of servers that listen: where, for whom, and how much each client may take."""
