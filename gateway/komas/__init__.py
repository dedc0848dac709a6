"""The Komas interface: streams that stay wanted for whoever reads prices over HTTP."""
