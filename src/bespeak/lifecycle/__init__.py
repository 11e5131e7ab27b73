"""Where the wings meet: the interlock, which asks the gate before anything is done to a host.

Importing this package loads nothing.
"""
