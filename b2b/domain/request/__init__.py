"""From the bytes that a caller sends to a typed request, or to a refusal by name."""

from b2b.domain.request.model import ConversionRequest, InvitedUser, MessageInfo, Parsed
from b2b.domain.request.parse import IntakePolicy, parse

__all__ = ["ConversionRequest", "IntakePolicy", "InvitedUser", "MessageInfo", "Parsed", "parse"]
