"""The clock inside a simulated camera: off by some seconds, and a little fast."""

from dataclasses import dataclass

from exam.clock import SECOND_US, Clock


@dataclass(frozen=True, slots=True)
class CameraClock:
    """Relates the camera's time and its frames to the host's clocks."""

    started_monotonic_us: int
    started_camera_us: int
    drift_ppm: float
    fps: int

    @classmethod
    def started(cls, clock: Clock, offset_s: float, drift_ppm: float, fps: int) -> "CameraClock":
        """A clock that starts now, `offset_s` ahead of the host."""
        camera_us = clock.wall_us() + round(offset_s * SECOND_US)
        return cls(clock.monotonic_us(), camera_us, drift_ppm, fps)

    def frame_camera_us(self, frame: int) -> int:
        """When the camera believes to have taken this frame."""
        return self.started_camera_us + frame * SECOND_US // self.fps

    def frame_due_us(self, frame: int) -> int:
        """The host's monotonic time at which this frame is taken."""
        camera_elapsed_us = frame * SECOND_US / self.fps
        return self.started_monotonic_us + round(camera_elapsed_us / (1 + self.drift_ppm / 1e6))

    def next_frame(self, monotonic_us: int) -> int:
        """The first frame that is not due before this monotonic moment."""
        elapsed_us = max(0, monotonic_us - self.started_monotonic_us)
        frame = int(elapsed_us * (1 + self.drift_ppm / 1e6) * self.fps // SECOND_US)
        while self.frame_due_us(frame) < monotonic_us:
            frame += 1
        return frame
