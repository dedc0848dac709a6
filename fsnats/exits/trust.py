"""Whom we trust: the system's certificates and, where one is named, a private authority's."""

import ssl

from fsnats.errors import ConfigError


def client_context(ca_file: str) -> ssl.SSLContext:
    """TLS towards the exchange and towards proxies, host names checked.  Raises ConfigError."""
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError("FSNATS_CA_FILE", f"'{ca_file}' cannot be used: {error.strerror or error}") from error
    return context
