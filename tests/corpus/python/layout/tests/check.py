import sys

sys.path[:0] = ["src", "."]

import helpers
import plugins.mail.sender
from shop.util import total


def check():
    assert helpers.filled().sum() == total([1])
    return plugins.mail.sender.send("x")


check()
