"""The pages of the server: what is held now, the timeline, and everything else that people look at all day.

A page has three parts, each of which can be tested on its own. ``read`` asks the book, in one transaction, for what a
page needs. ``views`` turn that into values that are ready to be shown to one viewer: names, texts and what this viewer
may press; they are pure functions. ``templates`` put the values into HTML, where every text is escaped.

``routes`` offers the pages as routes of an ASGI application, ``actions`` is what their buttons do, and ``live`` tells
open pages which resources have changed. The script (``static/bespeak.js``) improves pages that also work without it.
"""
