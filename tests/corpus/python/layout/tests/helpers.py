from shop import Cart


def filled():
    cart = Cart()
    cart.prices.append(1)
    return cart
