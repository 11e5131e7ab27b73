"""Notices: your turn, ends soon, somebody waits for what you hold, taken away, free.

The log of the book is the outbox: a change and its row in the log are one transaction, so there is no change without a
notice and no notice without a change. ``outbox`` turns each row of the log into messages exactly once, whichever of
several server processes gets there first, and ``delivery`` sends each message to what its recipient subscribed, at
least once and with an id that does not change. ``rules`` says what a row means for whom, and is pure.
"""
