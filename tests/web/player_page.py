"""Waiting for what the playback page shows, on a machine that may be busy."""

from playwright.sync_api import Page

PATIENCE_MS = 45_000


def reached(page: Page, second: int) -> None:
    """The clock has come to this second; a busy machine may leave out some before anybody looks."""
    page.wait_for_function(
        """([from, until]) => {
          const words = document.getElementById('clock').textContent;
          return from <= words && words < until;
        }""",
        arg=[f"09:00:{second:02d}", f"09:00:{second + 4:02d}"],
        timeout=PATIENCE_MS,
    )


def settled(page: Page) -> None:
    """Every camera with footage shows the clock's picture, not one on the way to it."""
    page.wait_for_function(
        """() => [...document.querySelectorAll('figure.camera:not(.is-absent)')].every((figure) =>
             figure.dataset.offsetMs !== '' && Math.abs(Number(figure.dataset.offsetMs)) <= 20)""",
        timeout=PATIENCE_MS,
    )
    page.wait_for_timeout(100)
