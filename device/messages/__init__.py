"""PURE. What a device and the cloud say to each other, and how it is signed, sealed and decoded.

The only package that both sides import. Every message is a frozen msgspec struct that refuses unknown fields;
every one that makes somebody act travels in a signed `Envelope` (`envelope.py`); what must stay secret from the
broker is sealed to a one-time key (`sealing.py`). Topics are in `topics.py`.
"""
