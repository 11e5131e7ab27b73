"""Speaking to a server of a book over HTTP: connections, deadlines, lost answers, wake-ups, credentials.

What is said is not known here: the services that are offered over HTTP stand beside those that they stand for.
"""
