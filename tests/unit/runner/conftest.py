from support.jobs import runner

__all__ = ["runner"]
