from shapes import Cube, area
from shapes import size_of as measure
from shapes import rounded
