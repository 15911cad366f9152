"""Takes export orders from `run.py export` while the console runs, through its local socket."""

from collections.abc import Mapping
from typing import Any

from evidence.export_plan import ExportError
from evidence.export_pleas import Plea, order_export
from web.local_desk import Desk
from web.services import Services


def open_export_desk(services: Services) -> Desk:
    """Answers until it is closed: `order`, the id of what was ordered, or `fault`, why nothing was."""

    def answer(question: dict[str, Any]) -> Mapping[str, Any]:
        try:
            plea = Plea.unpacked(question)
            return {"order": order_export(services.exam, plea, services.clock.wall_us())}
        except ExportError as error:
            return {"fault": str(error)}

    return Desk(services.settings.data_folder, answer)
