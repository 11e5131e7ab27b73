"""Consoles: the serial line of a host, or what stands for it, and a conversation with it.

``spec`` reads what lab data says, ``lines`` opens it, ``dialogue`` talks to it and keeps a transcript.
"""
