"""A whole fleet, as its programs tell of themselves: for the command line and for the gateway's `/api/fleet`."""
