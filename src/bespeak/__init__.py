"""bespeak: one book of reservations that people, CI jobs and coding agents share."""

__version__ = "0.1.0"
