from . import flat


class Cube:
    def side(self):
        return 2


def volume(cube):
    return flat.area(cube) * cube.side()
