"""Buttons that act only after being held for a second, however slowly a busy machine draws that second."""

from collections.abc import Callable

from playwright.sync_api import Page


def held_until_sent(page: Page, press: Callable[[], None], let_go: Callable[[], None]) -> None:
    """Press, and let go once the page has sent what it was held for."""
    with page.expect_request(lambda asked: asked.method == "POST"):
        press()
    let_go()
