# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One family of errors for every vendor: each names the operation, the vendor's own words and the next step."""

from __future__ import annotations

from typing import Any

MAX_TEXT = 16 * 1024
MAX_CODE = 200
TLS_STEP = "set ca_file to the authority that signed the certificate of this endpoint, or of the proxy that opens TLS"

# OpenSSL's words -> what to do. The first are what Python 3.13 began to ask of an authority (X509_V_FLAG_X509_STRICT):
# Azure/azure-cli#32108, python/cpython#138193, urllib3/urllib3#3665.
TLS_STEPS = (
    (
        ("key identifier", "basic constraints", "key usage", "invalid ca certificate", "path length", "subject name",
         "issuer name", "subject alternative name", "serial number", "explicit ecc", "inconsistent"),
        "have the authority that is named by ca_file, or by the proxy that opens TLS, made anew as RFC 5280 asks: "
        "Python 3.13 and later refuse it as it is; until then run with an earlier Python",
    ),
    (("hostname mismatch", "ip address mismatch", "doesn't match"),
     "check the URL: the certificate is one of another name"),
    (("has expired", "too small", "too weak"),
     "have whoever keeps the endpoint, or the proxy that opens TLS, renew its certificate"),
    (("not yet valid",), "set this machine's clock"),
)  # fmt: skip


def tls_step(text: str) -> str:
    """What cures a certificate that was refused with this text."""
    folded = text.casefold()
    return next((step for words, step in TLS_STEPS if any(word in folded for word in words)), TLS_STEP)


class OnboardingError(Exception):
    """Something did not work, said so that a person can act on it.

    operation: what was tried, in words («list diagnostic settings of …»).
    message: the vendor's own text, or ours where no vendor answered.
    code: the vendor's own code, else a short name of ours.
    status: HTTP status, None when there was no answer.
    next_step: what to do about it; NEXT_STEP of the class where the raiser knows no better.
    owner: who can do that, '' where it is not known or whoever runs this.
    """

    NEXT_STEP = ""

    def __init__(
        self,
        operation: str,
        message: str,
        *,
        code: str = "",
        status: int | None = None,
        next_step: str = "",
        request_id: str = "",
        owner: str = "",
    ) -> None:
        super().__init__(operation, message)
        self.operation = operation
        # More than is ever shown, so that no secret is cut before it is known for one.
        self.message = message[:MAX_TEXT]
        self.code = code[:MAX_CODE] or type(self).__name__
        self.status = status
        self.next_step = next_step or self.NEXT_STEP
        self.request_id = request_id[:MAX_CODE]
        self.owner = owner

    def __str__(self) -> str:
        http = f"HTTP {self.status}, " if self.status else ""
        step = f" Next step: {self.next_step}" if self.next_step else ""
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"Could not {self.operation}: {http}{self.code}: {self.message}{request}.{step}"

    def problem(self, target: str = "") -> dict[str, Any]:
        """The error as data, in the shape of a result's C(problems)."""
        return {
            "target": target,
            "operation": self.operation,
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "next_step": self.next_step,
            "request_id": self.request_id,
        }


class InputError(OnboardingError):
    """What we were given cannot be right; nothing was sent."""


class SignInError(OnboardingError):
    """No usable token."""


class RefusedError(OnboardingError):
    """The vendor answered, and the answer is not a yes."""


class NoAnswerError(OnboardingError):
    """No whole answer came: refused or dropped connection, time-out, or a body that cannot be read."""

    NEXT_STEP = "run again; if it stays, check the network, the proxy and the endpoint on the way"


def malformed(operation: str, error: Exception) -> NoAnswerError:
    """An answer that is JSON, and not of the documented shape."""
    return NoAnswerError(operation, f"the answer has another shape than documented: {error!r}", code="BadShape")


class OutOfTimeError(OnboardingError):
    """The time limit of a task is over; what was seen until then stays."""

    NEXT_STEP = "see what holds it up, or raise time_limit_seconds where the tenant is that large; then run again"


class InternalError(OnboardingError):
    """A defect of ours, of which one item is lost and not the run."""

    NEXT_STEP = "report it with the text above; what it says may come from an answer of an odd shape"


def typed(error: Exception) -> OnboardingError:
    """An error of the family: itself, or what stands for a defect of ours."""
    return error if isinstance(error, OnboardingError) else InternalError("go on", f"Internal error: {error!r}")


class MissingLibraryError(OnboardingError):
    """A Python library that the engine needs is not installed for the interpreter that runs it."""

    def __init__(self, library: str) -> None:
        super().__init__(
            f"import {library}",
            "the Python library is not installed for the interpreter that runs this task",
            next_step="install the collection's requirements.txt for that interpreter",
        )
