"""Numbers for Prometheus: each program counts for itself, tells on a socket of its own, and the supervisor tells all.

It does not go over NATS: when NATS is down they are wanted most.
"""
