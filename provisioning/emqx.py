"""PURE. What EMQX 5 must be told, for a fleet that needs a cluster: the same as Mosquitto, in its own words.

Names after docs.emqx.com of version 5.6 (configuration, ACL file) and `emqx_schema`. It was generated and read, and run
nowhere. EMQX finds a list of revocations only by an address in each certificate, which ours do not hold: there a device
that is revoked must be banned by name (`POST /api/v5/banned`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from device.messages.wire import MAX_BYTES
from provisioning.access import Right, rights_of_device, rights_of_operator, rights_of_service
from provisioning.broker import MAX_INFLIGHT, MAX_QUEUED, BrokerFiles

_CONFIG: Final = """\
# For EMQX 5, in etc/base.hocon of each node. Cluster, node and dashboard are the site's own.
listeners.tcp.default.enable = false
listeners.ws.default.enable = false
listeners.wss.default.enable = false
listeners.ssl.default {{
  enable = true
  bind = {bind}
  enable_authn = quick_deny_anonymous
  tcp_options.nodelay = true
  ssl_options {{
    cacertfile = {authority}
    certfile = {certificate}
    keyfile = {key}
    verify = verify_peer
    fail_if_no_peer_cert = true
    versions = ["tlsv1.3", "tlsv1.2"]
  }}
}}
mqtt {{
  peer_cert_as_username = cn
  peer_cert_as_clientid = cn
  max_packet_size = {kib}KB
  max_inflight = {inflight}
  max_mqueue_len = {queued}
  shared_subscription_strategy = round_robin
}}
authorization {{
  no_match = deny
  deny_action = ignore
  sources = [{{ type = file, enable = true, path = {acl} }}]
}}
"""


def emqx_config(host: str, port: int, files: BrokerFiles) -> str:
    """Return the settings (HOCON) for one TLS listener; the certificate's name is user name and client id.

    A client that shows another id is renamed, so that no device can take another's place.
    """
    address = f"[{host}]" if ":" in host else host
    return _CONFIG.format(
        bind=_quoted(f"{address}:{port}"),
        authority=_quoted(str(files.authority)),
        certificate=_quoted(str(files.certificate)),
        key=_quoted(str(files.key)),
        acl=_quoted(str(files.acl)),
        kib=MAX_BYTES // 1024,
        inflight=MAX_INFLIGHT,
        queued=MAX_QUEUED,
    )


def emqx_acl(services: Iterable[str], operators: Mapping[str, Sequence[str]]) -> str:
    """Return the access list (Erlang terms): the first rule that fits decides, the last refuses everything else.

    Of a shared subscription EMQX looks at the topics behind `$share/GROUP/`. A filter with wildcards fits a rule only
    if the rule has them in the same places, so that nobody subscribes to more than one may hear.
    """
    users = [(name, rights_of_service(name)) for name in services] + [
        (f"operator-{name}", rights_of_operator(robots)) for name, robots in operators.items()
    ]
    lines = [_rule(f"{{username, {_quoted(name)}}}", right) for name, rights in users for right in rights]
    return "\n".join([*lines, *(_rule("all", right) for right in rights_of_device("${username}")), "{deny, all}.", ""])


def _rule(who: str, right: Right) -> str:
    return f"{{allow, {who}, {right.action}, [{_quoted(right.topic)}]}}."


def _quoted(text: str) -> str:
    """Return a string as HOCON and Erlang both read it."""
    return msgspec.json.encode(text).decode()
