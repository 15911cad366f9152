"""Under which names this machine is reached, and whether anybody else can reach it."""

import ipaddress
import socket


def is_loopback(host: str) -> bool:
    """Whether the console listens for this machine alone on the usual loopback address.

    Only then plain HTTP is served. Other addresses of the loopback network count as outside, so
    that HTTPS can be tried on one machine.
    """
    return host in {"127.0.0.1", "localhost", "::1"}


def site_names(host: str) -> list[str]:
    """Every name and address by which a browser may call this console, the given one first."""
    names = [] if host in {"0.0.0.0", "::"} else [host]  # noqa: S104 - recognised, not bound
    names += ["localhost", "127.0.0.1", "::1"]
    if not is_loopback(host):
        names += [socket.gethostname(), f"{socket.gethostname()}.local"]
        names += _own_addresses()
    return list(dict.fromkeys(name.lower() for name in names))


def _own_addresses() -> list[str]:
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        return []
    return [str(ipaddress.ip_address(str(address[4][0]).partition("%")[0])) for address in found]


def shown_address(host: str, port: int) -> str:
    """The address to print for a person: http on loopback, https otherwise."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - recognised, not bound
        host = next(
            (name for name in site_names(host) if not name.startswith(("127.", "localhost", "::1"))),
            "localhost",
        )
    scheme = "http" if is_loopback(host) else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
