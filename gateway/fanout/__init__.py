"""From a message of the bus to one finished frame for all who listen, and the way to each of them.  Pure."""
