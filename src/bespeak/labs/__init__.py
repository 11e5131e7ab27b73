"""What a lab is made of, and the files that say so.

A lab is a named set of hosts and resources. Hosts say which labs they belong to and which resources one must hold
to use them, in ``lab.toml`` or in the ``hosts.json`` that otto reads as well.
"""

from bespeak.labs.model import HostSpec as HostSpec
from bespeak.labs.model import Lab as Lab
from bespeak.labs.model import required_resources as required_resources
from bespeak.labs.parsing import LabDataError as LabDataError
from bespeak.labs.store import LabStore as LabStore
from bespeak.labs.store import Problem as Problem
from bespeak.labs.store import lab_names as lab_names
from bespeak.labs.store import open_labs as open_labs
