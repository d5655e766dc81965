"""Prints a token that lets its holder store one blob at a publisher that asks for tokens.

    python3 token.py secret.txt --max-epochs 3 --max-size 100000

What a service of yours would do for a user who has logged in. Needs nothing but Python 3.9;
any library for JSON Web Tokens does as well. The claims are those of
docs/protocol/http-api.md section 7.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import pathlib
import secrets
import time


def part(content: bytes) -> str:
    """A part of a token: base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def token(secret: bytes, claims: dict[str, object]) -> str:
    """The claims, signed with HS256."""
    head = {"alg": "HS256", "typ": "JWT"}
    text = ".".join(part(json.dumps(each).encode()) for each in (head, claims))
    return text + "." + part(hmac.new(secret, text.encode(), hashlib.sha256).digest())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("secret", type=pathlib.Path, help="file with the publisher's secret")
    parser.add_argument("--seconds", type=int, default=60, help="how long it is good for")
    parser.add_argument("--max-epochs", type=int, help="most epochs to store for")
    parser.add_argument("--max-size", type=int, help="most bytes to store")
    wanted = parser.parse_args()

    now = int(time.time())
    claims: dict[str, object] = {"iat": now, "exp": now + wanted.seconds}
    # What makes it good for one store only.
    claims["jti"] = secrets.token_hex(16)
    limits = {"max_epochs": wanted.max_epochs, "max_size": wanted.max_size}
    claims.update({name: limit for name, limit in limits.items() if limit is not None})
    print(token(wanted.secret.read_bytes().strip(), claims))


if __name__ == "__main__":
    main()
