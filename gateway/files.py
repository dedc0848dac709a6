"""Files that a gateway reads when it starts, and again on SIGHUP: its certificate and the access tokens."""

import logging
import ssl

from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.websocket.certificate import Certificate
from gateway.admission.tokensfile import TokensFile

logger = logging.getLogger(__name__)


class Files:
    """What they hold now; None for what is not configured."""

    def __init__(self, config: Config) -> None:
        """Raises ConfigError when one cannot be used."""
        cert, key = config.gateway_tls_cert, config.gateway_tls_key
        self._certificate = (
            Certificate(cert, key, "FSNATS_GATEWAY_TLS_CERT", "FSNATS_GATEWAY_TLS_KEY") if cert else None
        )
        file = config.gateway_tokens_file
        self.tokens = TokensFile(file, "FSNATS_GATEWAY_TOKENS_FILE") if file else None

    @property
    def tls(self) -> ssl.SSLContext | None:
        """What the listener speaks."""
        return self._certificate.context if self._certificate else None

    def reload(self) -> None:
        """Read all of them again.  One that cannot be used is logged, and what it held before stays."""
        if self.tokens is not None:
            self.tokens.reload()
        if self._certificate is None:
            return
        try:
            self._certificate.reload()
        except ConfigError as error:
            logger.error(
                "the new certificate cannot be used, the old one stays",
                extra={"event": "certificate.unusable", "error": str(error)},
            )
        else:
            logger.info(
                "new connections get the certificate as it is now",
                extra={"event": "certificate.read", "file": self._certificate.chain},
            )
