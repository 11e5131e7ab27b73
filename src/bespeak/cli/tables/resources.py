"""Commands about the resources themselves."""

from bespeak.argv.declarations import Argument, Command, Group, Option

NAME = Argument("RESOURCE", complete="resource")
CAPACITY = Option(("--capacity",), "How many exclusive holders it has room for at once.", "NUMBER", kind="int")
DESCRIPTION = Option(("--description",), "What it is.", "TEXT")

ENTRIES = (
    Group(
        "resource",
        "The things that can be reserved.",
        (
            Command(
                "resource add",
                "Declare a resource. Without it, the first use makes one.",
                run="resource:add",
                examples=(("resource add rack3 --description 'third rack, left'", "one that seats one"),),
                arguments=(NAME,),
                options=(CAPACITY, DESCRIPTION),
            ),
            Command(
                "resource set",
                "Change what is declared about a resource.",
                run="resource:set_",
                examples=(("resource set licences --capacity 5", "five at once"),),
                arguments=(NAME,),
                options=(CAPACITY, DESCRIPTION),
            ),
            Command(
                "resource list",
                "All resources of the book.",
                run="resource:list_",
                examples=(("resource list", "all"),),
            ),
            Command(
                "resource remove",
                "Remove a resource that nobody holds or has booked.",
                run="resource:remove",
                examples=(("resource remove rack3", "gone; the log keeps its past"),),
                arguments=(NAME,),
            ),
        ),
    ),
)
