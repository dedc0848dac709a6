"""Server-sent events: the native protocol for those who can only read, over plain HTTP."""
