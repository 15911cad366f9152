"""The recorder's ticks by APScheduler: they only wake; what is due is decided from facts."""

import logging
from collections.abc import Callable
from datetime import UTC

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler


class Ticker:
    """Runs some work every so many seconds, one at a time, from construction until `stop`."""

    def __init__(self, works: dict[Callable[[], None], int]) -> None:
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a tick skipped on a busy disk is no news
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        self._jobs = [
            (self._scheduler.add_job(work, "interval", seconds=seconds), seconds)
            for work, seconds in works.items()
        ]
        self._scheduler.start()

    def plan_anew(self) -> None:
        """Start counting again: the scheduler plans by the wall clock, and that was set."""
        for job, seconds in self._jobs:
            job.reschedule("interval", seconds=seconds)

    def stop(self) -> None:
        """Finish the tick that runs, if any, and start no other."""
        self._scheduler.shutdown(wait=True)
