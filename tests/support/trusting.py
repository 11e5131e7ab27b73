"""Trusting a folder that a test made."""

import os

from bespeak.labs.trust_survey import survey


def trust(folder, environ=None):
    """Trust ``folder`` as it is, as ``bespeak trust`` does."""
    for one in survey(str(folder), os.environ if environ is None else environ):
        one.trusted()
