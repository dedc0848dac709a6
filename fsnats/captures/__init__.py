"""Captures: what streams brought, message by message, in files that are read, checked and played again."""
