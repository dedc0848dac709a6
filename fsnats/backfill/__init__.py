"""Fills what the store lacks with what the exchange's REST has.

`holes` says what is missing and `pages` which requests bring it, and what their answers prove; both are pure.
"""
