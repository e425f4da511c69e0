"""paho on a link that is already open: it keeps the MQTT session, and opens no socket of its own."""

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from services.core.broker.link import Link
from services.core.broker.options import Address, ClientOptions, Will
from services.core.errors import BrokerUnavailableError


class Session(paho.Client):
    def __init__(self, options: ClientOptions, address: Address) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id or address.user,
            clean_session=options.clean_session,
            reconnect_on_failure=False,
            manual_ack=options.manual_ack,
        )
        self._link: Link | None = None
        self.max_inflight_messages_set(options.max_inflight)
        if address.user:
            self.username_pw_set(address.user, address.secret)
        if options.will:
            self.set_will(options.will)

    def set_will(self, will: Will) -> None:
        """Of the connections from now on."""
        self.will_set(will.topic, will.payload, will.qos, will.retain)

    def start(self, link: Link, keepalive: int) -> None:
        """Send CONNECT on the link; what an earlier connection left unsent is forgotten."""
        self.drop_out_messages()
        self._link = link
        self.connect("already-dialled", keepalive=keepalive)

    def _create_socket(self) -> Link:  # type: ignore[explicit-override] # typing.override: Python 3.12
        if self._link is None:
            raise BrokerUnavailableError
        return self._link
