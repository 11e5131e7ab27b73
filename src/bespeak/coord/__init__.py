"""Coord: agents say what they are about to change, and are told who else is about to change it.

A claim names addresses of one git repository (files, symbols, folders, patterns) for a run, for a time. It is advice,
which nothing enforces but the guard that a repository may install; so it must be cheap to give and cheap to ask for.
"""
