from plugins.mail.util import total


def send(cart):
    return total(cart)
