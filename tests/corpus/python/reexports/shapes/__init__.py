from .flat import *
from .flat import _hidden as shown
from .solid import Cube
from .solid import volume as size_of

__version__ = "1"
