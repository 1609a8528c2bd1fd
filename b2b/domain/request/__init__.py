"""Parse what a caller sends into a typed request, or refuse it and name the fault."""

from b2b.domain.request.model import ConversionRequest, InvitedUser, MessageInfo, Parsed
from b2b.domain.request.parse import IntakePolicy, parse

__all__ = ["ConversionRequest", "IntakePolicy", "InvitedUser", "MessageInfo", "Parsed", "parse"]
