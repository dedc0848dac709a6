"""Troubles on purpose, and a judge: what the exchange produced against what arrived on the bus."""
