"""The certificate that a server shows, and its replacement while connections are open."""

import ssl
from typing import Any

from fsnats.errors import ConfigError

# What OpenSSL says of a key that is not the certificate's: the second where they are not even of one kind.
_MISMATCHES = ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED", "KEY_TYPE_MISMATCH")


class _Shown(ssl.SSLContext):
    """Is another context in every handshake.

    Replacing what a context holds in place would leave it with half a certificate when the second half is broken.  A
    callback for the server's name could do the same, but Python complains on standard error, past every log, when
    somebody sends a name with bytes above ASCII.
    """

    shown: ssl.SSLContext

    def wrap_bio(self, *arguments: Any, **more: Any) -> ssl.SSLObject:
        return self.shown.wrap_bio(*arguments, **more)


class Certificate:
    """A chain and its key, in PEM files.

    `context` is for the listener and stays the same; what it shows to new connections is what was last read.
    """

    def __init__(self, chain: str, key: str, chain_setting: str, key_setting: str) -> None:
        """An empty `key` means that the chain's file holds it.  Raises ConfigError naming the setting that is wrong."""
        self.chain = chain
        self._key = key
        self._chain_setting = chain_setting
        self._key_setting = key_setting
        self._context = _Shown(ssl.PROTOCOL_TLS_SERVER)
        self._context.shown = self._read()

    @property
    def context(self) -> ssl.SSLContext:
        """What the listener is given, once."""
        return self._context

    def reload(self) -> None:
        """Show what the files hold now, from the next handshake on.  Raises ConfigError, and shows the old one."""
        self._context.shown = self._read()

    def _read(self) -> ssl.SSLContext:
        key, key_setting = (self._key, self._key_setting) if self._key else (self.chain, self._chain_setting)
        _require_readable(self.chain, self._chain_setting)
        _require_readable(key, key_setting)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION  # in TLS 1.2 a client could make us work for nothing
        context.set_alpn_protocols(["http/1.1"])

        def ask_password(*_: Any) -> str:
            # Without this OpenSSL would ask on the terminal, and wait.
            raise ConfigError(key_setting, f"the key in '{key}' is encrypted, and nobody is here to give its password")

        try:
            context.load_cert_chain(self.chain, key, password=ask_password)
        except ssl.SSLError as error:
            if not _holds_certificate(self.chain):
                reason = f"'{self.chain}' holds no certificate in PEM form"
                raise ConfigError(self._chain_setting, reason) from error
            if error.reason in _MISMATCHES:
                reason = f"the key in '{key}' is not that of the certificate in '{self.chain}'"
                raise ConfigError(key_setting, reason) from error
            reason = f"'{key}' holds no key in PEM form" if error.reason is None else f"'{key}': {error}"
            raise ConfigError(key_setting, reason) from error
        return context


def _holds_certificate(path: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return False
    return True


def _require_readable(path: str, setting: str) -> None:
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise ConfigError(setting, f"cannot read '{path}': {error.strerror}") from error
