from tests.device.sora.conftest import http, service, stand_in

__all__ = ["http", "service", "stand_in"]
