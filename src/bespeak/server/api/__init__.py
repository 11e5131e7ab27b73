"""The routes of ``/api/v1``, one module for each kind of thing; they parse, call one service and answer."""
