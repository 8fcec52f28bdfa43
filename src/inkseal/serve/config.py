"""What a server may be told: where it listens, how much it takes in, how long it waits."""

from ipaddress import ip_address

from pydantic import Field

from inkseal.core.config import ComponentConfig, Settings, configure


class ServeConfig(ComponentConfig):
    """The table `[serve]` of settings.toml."""

    host: str = Field("127.0.0.1", description="Address to listen on; any but a loopback address needs a key.")
    port: int = Field(8042, ge=0, le=65535, description="Port; 0 takes a free one.")
    hosts: tuple[str, ...] = Field((), description="Names under which the server may be called, besides localhost.")
    origins: tuple[str, ...] = Field((), description="Origins under which browsers know the server behind a proxy.")
    max_json_bytes: int = Field(4 << 20, ge=1024, description="Largest JSON body.")
    max_upload_bytes: int = Field(64 << 20, ge=1024, description="Largest uploaded file.")
    header_seconds: float = Field(10, gt=0, description="Longest time for the head of a request.")
    body_seconds: float = Field(30, gt=0, description="Longest time for the body of a request.")
    max_connections: int = Field(1500, ge=1, description="Connections held at once; more are closed.")
    max_running: int = Field(8, ge=1, description="Generations at once.")
    max_waiting: int = Field(64, ge=0, description="Generations waiting for a place; more get 429.")
    max_waiting_per_key: int = Field(32, ge=0, description="Waiting generations of one key.")
    max_streams_per_key: int = Field(1200, ge=1, description="Event streams held open by one key.")
    grace_seconds: float = Field(30, ge=0, description="How long running work may go on after SIGTERM.")
    wrong_keys_per_minute: int = Field(30, ge=1, description="Wrong keys from one address; more get 429.")
    session_seconds: int = Field(12 * 3600, ge=60, description="How long a browser's session lasts.")

    @property
    def loopback(self) -> bool:
        """True when only programs of this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def serve_config(settings: Settings, **given: object) -> ServeConfig:
    """Returns the settings' table `[serve]` with what the command line gave.

    Raises:
        InvalidRequest: a field is unknown or has a bad value.
    """
    values = settings.serve | {name: value for name, value in given.items() if value is not None}
    config = configure(ServeConfig, values, "serve")
    assert isinstance(config, ServeConfig)
    return config
