try:
    from fastparse import parse
except ImportError:
    def parse(text):
        return split(text)

try:
    import nothing_of_that_name as speedups
except ImportError:
    speedups = None

if speedups:
    def split(text):
        return speedups.split(text)
else:
    def split(text):
        return text.split()


class Plan:
    if speedups:
        def steps(self):
            return speedups.steps(self)
    else:
        def steps(self):
            return split("a b")
