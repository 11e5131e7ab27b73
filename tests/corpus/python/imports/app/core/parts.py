class Wheel:
    def __init__(self, size):
        self.size = size


def fasten(wheel):
    return wheel.size
