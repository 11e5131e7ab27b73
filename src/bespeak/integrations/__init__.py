"""Doors into other people's programs; each module is loaded by the program that it serves."""
