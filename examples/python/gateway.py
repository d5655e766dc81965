"""Stores a file through a gateway, reads it and a part of it back, and checks both.

    python3 gateway.py http://127.0.0.1:31415 photo.jpg

Needs nothing but Python 3.9. A gateway speaks plain HTTP, so any other client does as
well: this one exists to show the requests.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from typing import BinaryIO
from urllib.parse import urlencode


class GatewayError(Exception):
    """What a gateway refused, in its own words."""


class Gateway:
    """The two halves of a gateway: the publisher stores, the aggregator reads."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def store(self, body: BinaryIO, *, epochs: int = 1, deletable: bool = False) -> str:
        """Stores what `body` holds for `epochs` epochs; the blob id."""
        query = urlencode({"epochs": epochs, "deletable": str(deletable).lower()})
        # With its length told, a body that is too large is refused before it is sent.
        headers = {"Content-Length": str(os.fstat(body.fileno()).st_size)}
        answer = json.load(self._ask("PUT", f"/v1/blobs?{query}", headers, body))
        if "newlyCreated" in answer:
            return answer["newlyCreated"]["blobObject"]["blobId"]
        return answer["alreadyCertified"]["blobId"]

    def read(self, blob_id: str, first: int | None = None, last: int | None = None) -> bytes:
        """Reads a blob, or its bytes from `first` to `last`, both counted."""
        headers = {} if first is None else {"Range": f"bytes={first}-{'' if last is None else last}"}
        return self._ask("GET", f"/v1/blobs/{blob_id}", headers).read()

    def _ask(self, method: str, path: str, headers: dict[str, str], body: BinaryIO | None = None):
        request = urllib.request.Request(self.address + path, body, headers, method=method)
        try:
            return urllib.request.urlopen(request, timeout=600)
        except urllib.error.HTTPError as error:
            try:
                reason = json.load(error)["error"]["message"]
            except (ValueError, KeyError):
                reason = error.reason
            raise GatewayError(f"{method} {path}: {error.code} {reason}") from error


def main() -> None:
    """Stores a file and makes sure that it came back."""
    if len(sys.argv) != 3:
        sys.exit("usage: gateway.py GATEWAY FILE")
    gateway = Gateway(sys.argv[1])
    with open(sys.argv[2], "rb") as file:
        contents = file.read()
        file.seek(0)
        blob_id = gateway.store(file, epochs=2)
    print(f"stored as {blob_id}")

    if gateway.read(blob_id) != contents:
        sys.exit("the gateway gave something else back")
    if len(contents) > 10 and gateway.read(blob_id, 5, 9) != contents[5:10]:
        sys.exit("the gateway gave another part back")
    print(f"read {len(contents)} bytes back")


if __name__ == "__main__":
    try:
        main()
    except GatewayError as error:
        sys.exit(str(error))
