"""PURE. How the service says no: one error body, told apart by HTTP status and `code`."""

from __future__ import annotations

from typing import Any

from device.errors import KaiwaError
from provisioning.local.realtime.faults import HttpFault


class RefusedError(KaiwaError):
    """A request that is not carried out."""

    def __init__(
        self, status: int, code: str, message: str, *, kind: str = "invalid_request_error", param: str | None = None
    ) -> None:
        self.status, self.code, self.message, self.kind, self.param = status, code, message, kind, param
        super().__init__(f"{status} {code}: {message}")

    def body(self) -> dict[str, Any]:
        """Return the JSON body `{"error": {message, type, param, code}}`."""
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return {"error": error}


def invalid_offer(reason: str) -> RefusedError:
    """Return the refusal of an SDP offer that cannot be used."""
    return RefusedError(400, "invalid_offer", f"The SDP offer is not valid: {reason}", param="sdp")


def invalid_key() -> RefusedError:
    """Return the refusal of a key that is missing, wrong or expired."""
    return RefusedError(401, "invalid_api_key", "Incorrect API key provided.")


def beta_shape() -> RefusedError:
    """Return the refusal of the API's beta shape, as it was in 2025."""
    return RefusedError(
        400, "beta_api_shape_disabled", "The Realtime API beta is no longer available. Use the GA shape instead."
    )


def of_fault(fault: HttpFault) -> RefusedError | None:
    """Return the refusal that a fault switch stands for, or None when it fails in another way."""
    match fault:
        case HttpFault.UNAUTHORIZED:
            return invalid_key()
        case HttpFault.QUOTA:
            text = "You exceeded your current quota, please check your plan and billing details."
            return RefusedError(429, "insufficient_quota", text, kind="insufficient_quota")
        case HttpFault.RATE_LIMIT:
            return RefusedError(429, "rate_limit_exceeded", "Rate limit reached.", kind="requests")
        case HttpFault.UNKNOWN_MODEL:
            return RefusedError(404, "model_not_found", "The model does not exist or you do not have access to it.")
        case HttpFault.SERVER_ERROR:
            text = "The server had an error while processing your request."
            return RefusedError(500, "server_error", text, kind="server_error")
        case _:
            return None
