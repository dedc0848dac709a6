"""Other servers that do what the gateway does, to compare it with: each reads and answers as `load/sendloop.c` does.

They send from a timer what the gateway gets from NATS: the comparison favours them.
"""
