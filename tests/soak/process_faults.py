"""What happens to our own programs and files: F10, F16, F17, F18, F20, F24 and F25."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from evidence.naming import GROWING_FOLDER
from evidence.thumbnails import newest_thumbnail
from exam.clock import SECOND_US
from rehearsal.console_client import ConsoleClient, ConsoleRefusedError
from rehearsal.footage_check import Piece, open_room, pieces
from tests.recorder.live import CLOCK, ROOT, children_of, wait_until
from tests.soak.fault_seen import BOUNDS_US, GOP_US, RESUME_US, VICTIM, Seen
from tests.soak.fault_site import FaultSite, outage

# Long enough that a thumbnail is late, short enough that an old one does not count.
THUMBNAIL_US = 15 * SECOND_US


def killed(world: FaultSite, fault: str, pid: int, *, all_hit: bool) -> Seen:
    """A process is killed; measured by the recording's return and the acknowledged segments."""
    acknowledged = {s.path: s.sha256 for name in world.names for s in world.site.segments(name)}
    before, killed_us = world.runs(), CLOCK.wall_us()
    os.kill(pid, signal.SIGKILL)
    if all_hit:
        wait_until(lambda: all(world.runs()[name] != before[name] for name in world.names), 90)
    wait_until(world.all_recording, 60)
    back_us = CLOCK.wall_us() - killed_us
    now = {s.path: s.sha256 for name in world.names for s in world.site.segments(name)}
    lost = len(acknowledged.items() - now.items())
    changed = sum(world.runs()[name] != before[name] for name in world.names)
    seen = f"{lost} acknowledged lost, {changed} cameras hit, all recorded after {back_us / SECOND_US:.1f} s"
    expected = "0 acknowledged lost, " + ("all back" if all_hit else "no camera hit")
    return Seen(fault, expected, seen, lost == 0 and (all_hit or changed == 0))


def f10_recorder(world: FaultSite) -> Seen:
    return killed(world, "F10 kill -9 of the recorder", world.service_pid("recorder"), all_hit=True)


def f10_web(world: FaultSite) -> Seen:
    return killed(world, "F10 kill -9 of the console", world.service_pid("web"), all_hit=False)


def f10_capture(world: FaultSite) -> Seen:
    uuid = world.site.uuids[VICTIM]

    def kill() -> None:
        for pid in children_of(world.service_pid("recorder")):
            if uuid in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)

    found = outage(world, VICTIM, kill, lambda: None, 0.1)
    is_good = found.unaccounted_us == 0 and found.disturbed == 0 and found.resumed_us <= RESUME_US
    is_good = is_good and -GOP_US <= found.began_off_us <= BOUNDS_US
    return Seen("F10 kill -9 of one capture", "one fragment lost, others untouched", found.words(), is_good)


def f16(world: FaultSite) -> Seen:
    """The index is deleted while the site is stopped, and made anew."""
    wait_until(world.all_recording, 60)
    world.stop()
    before = {s.path: s.sha256 for name in world.names for s in world.site.segments(name)}
    world.site.settings.footage_db.unlink()
    words = [sys.executable, "run.py", "rebuild", "--settings", str(world.folder / "kaochang.toml")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    world.start()
    now = {s.path: s.sha256 for name in world.names for s in world.site.segments(name)}
    lost = len(before.items() - now.items())
    seen = f"rebuild ended with {done.returncode}, {lost} of {len(before)} segments lost, all record again"
    return Seen("F16 index deleted", "rebuilt, 0 segments lost", seen, done.returncode == 0 and lost == 0)


def f17(world: FaultSite) -> Seen:
    """A second recorder is refused with a sentence, and the first does not notice."""
    before = world.runs()
    words = [sys.executable, "run.py", "recorder", "--settings", str(world.folder / "kaochang.toml")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    said = (done.stderr.strip() or "nothing").splitlines()[-1][:90]
    is_good = done.returncode != 0 and "already being written" in said and world.runs() == before
    return Seen("F17 a second recorder", "refused with its reason", f"{done.returncode}: {said}", is_good)


def f18(world: FaultSite) -> Seen:
    """The recorder sleeps for twenty seconds while its captures go on: no camera is blamed."""
    wait_until(world.is_quiet, 60)
    before, pid = world.runs(), world.service_pid("recorder")
    os.kill(pid, signal.SIGSTOP)
    CLOCK.sleep_us(20 * SECOND_US)
    os.kill(pid, signal.SIGCONT)
    CLOCK.sleep_us(15 * SECOND_US)
    restarted = sum(world.runs()[name] != before[name] for name in world.names)
    lost_us = sum(world.unaccounted_us(name) for name in world.names)
    seen = f"{restarted} cameras restarted, unaccounted {lost_us / SECOND_US:.1f} s"
    return Seen("F18 the recorder sleeps 20 s", "no camera restarted", seen, restarted == 0 and lost_us == 0)


def f20(world: FaultSite) -> Seen:
    """A file vanishes while somebody watches: that piece is refused in words, all others play on."""
    wait_until(world.is_quiet, 60)
    now_us, room = CLOCK.wall_us(), world.room_id("R01")
    interval = (now_us - 60 * SECOND_US, now_us)
    console = world.logged_in("supervisor")
    try:
        address = f"{open_room(console, str(room), interval, '试验')}/cameras/{world.site.uuids[VICTIM]}.m3u8"
        found = list(pieces(console.get(address).text, address))
        victim = next(s for s in world.site.segments(VICTIM) if s.ended_at_us > interval[0] + 8 * SECOND_US)
        hidden = victim.file.rename(world.folder / "hidden")
        said = [_refusal(console, piece) for piece in found]
        hidden.rename(victim.file)
        again = [_refusal(console, piece) for piece in found]
    finally:
        console.close()
    lost = [piece for piece, word in zip(found, said, strict=True) if word]
    others = [piece for piece in lost if f"/{victim.id}.mp4" not in piece.address]
    refusals = sorted({word for word in said if word})
    seen = f"{len(lost)} of {len(found)} pieces refused ({', '.join(refusals)}), then {sum(map(bool, again))}"
    is_good = bool(lost) and not others and not any(again) and refusals == ["404"]
    return Seen("F20 a file vanishes while watched", "only its pieces are refused", seen, is_good)


def _refusal(console: ConsoleClient, piece: Piece) -> str:
    """Nothing when the piece came, else the status of the refusal."""
    size, offset = piece.part
    try:
        return "" if len(console.get_range(piece.address, offset, offset + size - 1)) == size else "short"
    except ConsoleRefusedError as refused:
        return str(refused).split("status ")[1].split(":")[0]


def f24(world: FaultSite) -> Seen:
    """Files that nobody knows lie on the volume at start: set aside with a row, never removed."""
    wait_until(world.is_quiet, 60)
    volume = world.site.settings.footage_volumes[0]
    known = world.site.segments(VICTIM)[-1]
    world.stop()
    strays = {
        volume / GROWING_FOLDER / "stray.mp4": b"no recording at all",
        known.file.with_name("copied.mp4"): known.file.read_bytes(),
        known.file.with_name("notes.txt"): "备忘".encode(),
    }
    for path, content in strays.items():
        path.write_bytes(content)
    world.start()
    kept = {path.read_bytes() for path in volume.rglob("*") if path.is_file()}
    lost = sum(content not in kept for content in strays.values())
    # A run that began just before the stop may have left a file without a picture: that is set aside as well.
    names = {path.name for path in strays}
    rows = sum(name in names for name in world.quarantined())
    seen = f"{rows} rows for {len(strays)} files, {lost} lost"
    return Seen("F24 stray files", "each with a row, 0 lost", seen, rows == len(strays) and lost == 0)


def f25(world: FaultSite) -> Seen:
    """All thumbnails vanish: new ones come, and recording does not notice."""
    wait_until(world.is_quiet, 60)
    root, uuid, before = world.site.settings.thumbnails_folder, world.site.uuids[VICTIM], world.runs()
    shutil.rmtree(root)
    gone_us = CLOCK.wall_us()

    def is_there() -> bool:
        found = newest_thumbnail(root, uuid, CLOCK.wall_us()) if root.exists() else None
        return found is not None and found.moment_us > gone_us - 5 * SECOND_US

    wait_until(is_there, 30)
    after_us = CLOCK.wall_us() - gone_us
    restarted = sum(world.runs()[name] != before[name] for name in world.names)
    seen = f"a new one after {after_us / SECOND_US:.1f} s, {restarted} cameras restarted"
    is_good = after_us <= THUMBNAIL_US and restarted == 0
    return Seen("F25 thumbnails vanish", "new ones within 15 s, recording untouched", seen, is_good)
