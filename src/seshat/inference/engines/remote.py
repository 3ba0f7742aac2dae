"""One server of the OpenAI protocol: its address, its key, and what its errors mean."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from seshat.config.translate import ServerSection
from seshat.core.errors import DataError, UsageError
from seshat.core.net import Client, Refused, Unreachable, variable

_HINTS = {
    401: "Set the key: export it, and name the variable in translate.server.api_key_env.",
    403: "Does the key allow this model?",
    404: "Look at translate.server.url and translate.server.model.",
    429: "Lower translate.server.concurrency, or try again later: what is done is kept.",
}


class Remote:
    """A server that speaks the OpenAI protocol.

    Args:
        settings: section ``translate.server``.

    Raises:
        UsageError: there is no address, or no key where there should be one.
    """

    def __init__(self, settings: ServerSection) -> None:
        if settings.url is None:
            raise UsageError("translate.server.url is not set.", "Write the address: http://127.0.0.1:8000/v1")
        key = variable(settings.api_key_env, "translate.server.api_key_env") if settings.api_key_env else None
        address = settings.url.rstrip("/")
        self._client = Client(
            f"{address}/" if urlsplit(address).path else f"{address}/v1/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            secret=key,
            timeout=settings.timeout,
            retries=settings.retries,
            connections=settings.concurrency,
        )
        self.address = self._client.address
        """Where it is, without a password that may stand in the URL."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def only_model(self) -> str:
        """The name of the model, where the server has one only.

        Raises:
            UsageError: it has several, or does not say which.
            DataError: it does not answer.
        """
        found = self._request("GET", "models").get("data")
        names = [str(one.get("id")) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        if len(names) != 1:
            known = f"has several: {', '.join(names)}" if names else "does not say which it has"
            raise UsageError(f"{self.address}: which model? The server {known}.", "Set translate.server.model.")
        return names[0]

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a question and wait for the answer.

        Raises:
            Refused: the server says no.
            DataError: there is no answer, however often it is asked.
        """
        return self._request("POST", path, body)

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            found = self._client.request(method, path, body=body).json()
        except Refused as error:
            error.hint = _HINTS.get(error.status)
            raise
        except Unreachable as error:
            if error.timed_out:
                error.hint = (
                    "Is the server busy? Raise translate.server.timeout, or lower translate.server.concurrency."
                )
            raise
        except ValueError as error:
            raise DataError(f"{self.address}: the answer is not JSON.", "Does the address end in /v1?") from error
        if not isinstance(found, dict):
            raise DataError(f"{self.address}: the answer is not a JSON object.", "Does the address end in /v1?")
        return found
