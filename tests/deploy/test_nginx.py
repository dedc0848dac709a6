"""nginx.conf, as nginx reads it."""

import socket
import subprocess
from pathlib import Path

from tests.deploy.conftest import DEPLOY, program


def test_nginx_accepts_it(tmp_path: Path) -> None:
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    files = ["-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")]
    subprocess.run([program("openssl"), *request, *files], check=True, capture_output=True, timeout=60)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = (DEPLOY / "nginx.conf").read_text()
    text = text.replace("/etc/ssl/fsnats", str(tmp_path))
    # Testing a configuration binds its addresses.
    text = text.replace("listen 443", f"listen 127.0.0.1:{port}").replace("listen [::]:443 ssl;", "")
    main = tmp_path / "nginx.conf"
    main.write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{text}\n}}\n")
    tested = subprocess.run(
        [program("nginx"), "-t", "-p", str(tmp_path), "-c", str(main)], capture_output=True, text=True, timeout=60
    )
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr
    assert "[error]" not in tested.stderr


def test_websockets_pass_and_clients_keep_their_address() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    for line in (
        "least_conn;",
        "proxy_http_version 1.1;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "proxy_read_timeout 1h;",
        "proxy_buffering off;",
    ):
        assert line in text
    assert text.count("    server 127.0.0.1:") == 2
