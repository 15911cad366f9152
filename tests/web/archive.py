"""The archive's people at the console: a client for each, over footage whose time is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask

from tests.disposals import Archive, open_archive
from tests.web.console import PageClient, client_for
from tests.world import World


@dataclass
class Desk:
    """Who acts, and what they act on."""

    archive: Archive
    archivist: PageClient
    site_lead: PageClient
    supervisor: PageClient
    quality: PageClient

    def propose(self) -> int:
        sent = self.archivist.post(
            "/disposals/", data={"batch": self.archive.world.batch_id, "appraisal": "无继续保存价值"}
        )
        assert sent.status_code == 303, sent.text
        return int(sent.headers["Location"].rsplit("/", 1)[1])

    def approve(self, plan_id: int) -> None:
        for client in (self.site_lead, self.supervisor):
            sent = client.post(f"/disposals/{plan_id}/decide", data={"verdict": "approved", "reason": "同意"})
            assert sent.status_code == 303, sent.text

    def cosign(self, plan_id: int, moment: str = "2032-01-05T01:00:00Z"):
        signature = self.archive.cosigner.signature(self.archive.digest(plan_id), moment)
        facts = {"authority": self.archive.authority_id, "moment": moment, "signature": signature}
        return self.archivist.post(f"/disposals/{plan_id}/time", data=facts)

    def order(self, plan_id: int):
        return self.archivist.post(f"/disposals/{plan_id}/order", data={"witness": ["钱进", "孙立"]})


@contextmanager
def open_desk(app: Flask, world: World, files: int = 3) -> Iterator[Desk]:
    with open_archive(world, files) as archive:

        def client(account_id: int) -> PageClient:
            return client_for(app, world, account_id)

        yield Desk(
            archive,
            client(archive.archivist),
            client(archive.site_lead),
            client(archive.supervisor),
            client(archive.registrar),
        )
