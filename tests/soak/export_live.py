"""From a camera to a proof: a running recorder films, exports on order, and a stranger verifies the bag.

`run.py soak export_live`: about a minute and a half; the newest checkpoint comes with the next minute.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from evidence.database import ReaderDatabase, WriterDatabase
from evidence.export_orders import ExportRequest, give_export_order
from evidence.export_plan import Asker, CopyOptions
from evidence.timeline import Interval
from evidence.work_orders import Report, report
from exam.clock import SECOND_US
from rehearsal.camera_plan import CameraPlan
from rehearsal.camera_server import running_cameras
from tests.recorder.live import CLOCK, LiveSite, live_site, wait_until


def order(site: LiveSite, interval: Interval) -> int:
    exam = WriterDatabase(site.settings.exam_db, "exam")
    asked = ExportRequest(
        account_id=1,
        room_ids=(1,),
        camera_uuids=(site.uuids["camera"],),
        interval=interval,
        target=site.settings.default_export_folder,
        asker=Asker("测试员", "某单位", "", "演练"),
        options=CopyOptions(),
    )
    with exam.write() as connection:
        connection.execute(
            "insert or ignore into site (id, uuid, code, name, created_at_us)"
            " values (1, '00000000-0000-4000-8000-000000000009', 'S', '示例考点', 1)"
        )
        order_id = give_export_order(connection, asked, CLOCK.wall_us())
    exam.close()
    return order_id


def report_of(site: LiveSite, order_id: int) -> Report:
    reader = ReaderDatabase(site.settings.footage_db)
    with reader.read() as connection:
        made = report(connection, order_id)
    reader.close()
    return made


def pictures(file: Path) -> int:
    asked = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0"]
    shown = ["-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", str(file)]
    found = subprocess.run([*asked, *shown], capture_output=True, text=True, check=True)
    return int(found.stdout.strip(",\n"))


def main(words: list[str]) -> int:
    assert not words, "soak export_live takes no words"
    with tempfile.TemporaryDirectory() as folder:
        _film_and_verify(Path(folder))
    return 0


def _film_and_verify(tmp_path: Path) -> None:
    (tmp_path / "cameras").mkdir()
    plan = CameraPlan.model_validate({"name": "camera", "resolution": "640x368", "bitrate_kbps": 600})
    with running_cameras([plan], tmp_path / "cameras", loop_seconds=4) as cameras:
        site = live_site(tmp_path, cameras)
        with site.recording():
            wait_until(lambda: len(site.segments("camera")) >= 2, 60)
            first, second = site.segments("camera")[:2]
            interval = Interval(first.started_at_us + SECOND_US, second.ended_at_us - SECOND_US)
            order_id = order(site, interval)
            # The checkpoint over the newest file comes with the next minute.
            wait_until(lambda: report_of(site, order_id).is_final, 100)
            made = report_of(site, order_id)
    assert made.outcome is not None
    assert made.words == "全部交付；已从介质读回核对"
    bag = Path(made.outcome["target"]) / made.outcome["bags"][0]
    words = ["sh", str(bag / "verify.sh"), "--fingerprint", made.outcome["fingerprint"]]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    originals = sorted(bag.glob("data/camera-1/*.mp4"))
    assert sum(map(pictures, originals)) == pictures(bag / "data/derived/camera-1/play.mp4")
    assert json.loads((bag / "delivery.json").read_bytes())["cameras"][0]["unaccounted"] == []
    print(done.stdout)
