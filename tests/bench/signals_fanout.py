"""How long until eighty tablets know: from a person's press leaving the tablet to the wake at each of them.

The press is sent, judged, written durably with its ledger leaf and published; the wake travels back over
server-sent events. All of that is in the figure.
"""

import re
import threading
from dataclasses import dataclass, field

import httpx

from exam.clock import SystemClock
from tests.bench.bench_report import progress
from tests.bench.signals_site import BenchSite

CLOCK = SystemClock()
TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)"')


@dataclass
class Tablet:
    """One open stream; `woken_us` are the moments of its wakes."""

    site: BenchSite
    woken_us: list[int] = field(default_factory=list)
    is_open: threading.Event = field(default_factory=threading.Event)

    def listen(self, stopping: threading.Event) -> None:
        with httpx.Client(cookies={"kaochang": self.site.login}, trust_env=False) as client:
            try:
                with client.stream("GET", f"{self.site.address}/overview/stream", timeout=15) as stream:
                    for line in stream.iter_lines():
                        if line.startswith("data:"):
                            self.woken_us.append(CLOCK.monotonic_us())
                            self.is_open.set()
                        if stopping.is_set():
                            return
            except httpx.HTTPError:
                return


def fan_out(site: BenchSite, tablets: int, messages: int) -> list[float]:
    """Milliseconds from press to wake, for every tablet and message."""
    stopping = threading.Event()
    crowd = [Tablet(site) for _ in range(tablets)]
    threads = [threading.Thread(target=one.listen, args=(stopping,), daemon=True) for one in crowd]
    for thread in threads:
        thread.start()
    for one in crowd:
        one.is_open.wait(20)
    found: list[float] = []
    with httpx.Client(base_url=site.address, cookies={"kaochang": site.login}, trust_env=False) as lead:
        page = lead.get("/players", headers={"Accept": "text/html"}).text
        token = TOKEN.search(page)
        assert token is not None
        headers = {"X-CSRFToken": token[1], "Accept": "application/json"}
        for number in range(messages):
            sent_us = CLOCK.monotonic_us()
            room = site.room_codes[number % len(site.room_codes)]
            answer = lead.post(f"/api/rooms/{room}/sound-checks", json={"outcome": "heard"}, headers=headers)
            answer.raise_for_status()
            CLOCK.sleep_us(sent_us + 1_000_000 - CLOCK.monotonic_us())
            found += [(first - sent_us) / 1000 for first in _first_wakes(crowd, sent_us)]
            if number % 10 == 9:
                progress(f"fan-out: message {number + 1} of {messages}")
    stopping.set()
    return found


def _first_wakes(crowd: list[Tablet], sent_us: int) -> list[int]:
    wakes = [[at for at in one.woken_us if at >= sent_us] for one in crowd]
    return [min(own) if own else sent_us + 1_000_000 for own in wakes]
