"""The commands of ``bespeak job``: each is declared beside its handler."""
