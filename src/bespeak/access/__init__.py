"""Who may do what in a book: rules, groups, tokens, browser sessions; their tables and the pure decision.

The ledger asks :mod:`bespeak.access.decide`; nothing here knows reservations or the web.
"""
