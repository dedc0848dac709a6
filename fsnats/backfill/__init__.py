"""Fills what the store lacks with what the exchange's REST has, for `fsnats backfill` and for a recorder that starts.

`keys` says how candles and trades follow one another and `pages` which requests bring a hole, and what their answers
prove; both are pure.  `asking` asks the history workers, `search` finds where something begins, `filler` does it all,
and `continuity` looks at what is in the store afterwards.
"""
