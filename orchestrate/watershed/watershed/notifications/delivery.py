"""Handing a message to apprise, which knows mail, webhooks and chats."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from watershed.exceptions import WatershedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watershed.notifications.alert import Alert
    from watershed.notifications.routes import Route


class DeliveryError(WatershedError):
    """Retry: the message did not reach its route; the text holds nothing of the address."""


def deliver(route: Route, alert: Alert, runbooks: str, environment: Mapping[str, str]) -> None:
    """Send one message.

    Raises:
        DeliveryError: it was not accepted.
    """
    address = environment.get(route.variable)
    if not address:
        raise DeliveryError(
            f"route {route.name}: the environment variable {route.variable} is not set"
        )
    import apprise  # noqa: PLC0415  # is slow

    # What apprise logs may hold the address.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    kinds = {
        "error": apprise.NotifyType.FAILURE,
        "warning": apprise.NotifyType.WARNING,
        "info": apprise.NotifyType.INFO,
    }
    sender = apprise.Apprise()
    if not sender.add(address):
        raise DeliveryError(
            f"route {route.name}: {route.variable} holds no address that apprise knows"
        )
    kind = kinds[alert.severity]
    body = alert.text(runbooks)
    if not sender.notify(body=body, title=alert.title, notify_type=kind, body_format="text"):
        raise DeliveryError(
            f"route {route.name}: the server that {route.variable} names did not take the message"
        )
