-- footage.db: the index of all footage (影像资料). Written by the recorder service alone; everybody else reads.
-- Times are microseconds since 1970-01-01 UTC (`_us`). Cameras are named by uuid, never by number.

-- Where footage lies. The folder holds a file with the same uuid, so that a wrong disk is noticed.
create table volume (
  id            integer primary key,
  uuid          text    not null unique check (length(uuid) = 36),
  -- Absolute folder on this machine.
  path          text    not null check (path <> ''),
  created_at_us integer not null check (created_at_us > 0)
) strict;

-- Segments of one unbroken connection to one camera (连续录像).
create table run (
  id            integer primary key,
  -- Names the run in file names.
  uuid          text    not null unique check (length(uuid) = 36),
  camera_uuid   text    not null check (length(camera_uuid) = 36),
  -- The machine's boot and its monotonic clock when the run began: orders runs when the wall clock stepped.
  boot_id       text    not null,
  started_at_us integer not null check (started_at_us > 0),
  started_monotonic_us integer not null check (started_monotonic_us >= 0),
  -- Null while the connection stands.
  ended_at_us   integer check (ended_at_us > 0),
  -- Why it ended, a code of evidence.footage.Cause; null while it stands.
  end_cause     text,
  check ((ended_at_us is null) = (end_cause is null))
) strict;
create index run_by_camera on run (camera_uuid, started_at_us);

-- One file of footage (视频片段). A row exists only once the file is complete, durable and hashed
-- (docs/design/evidence.md, invariant 1).
create table segment (
  id            integer primary key,
  run_id        integer not null references run (id),
  -- Position in the run, from 0.
  sequence      integer not null check (sequence >= 0),
  camera_uuid   text    not null check (length(camera_uuid) = 36),
  volume_id     integer not null references volume (id),
  -- Path below the volume's folder.
  path          text    not null check (path <> ''),
  -- Our wall clock at the first and after the last picture, corrected for the camera's buffering.
  started_at_us integer not null check (started_at_us > 0),
  -- Never longer than an hour: searches rely on it (evidence.footage.LONGEST_SEGMENT_US).
  ended_at_us   integer not null check (ended_at_us > started_at_us
                                        and ended_at_us - started_at_us <= 3600000000),
  -- Length by the camera's clock; differs from the wall by its drift.
  media_us      integer not null check (media_us > 0),
  -- How the wall times were found: sender_reports (camera's RTCP clock, offset measured) or arrival.
  clock_source  text    not null check (clock_source in ('sender_reports', 'arrival')),
  -- Camera clock minus our wall clock, including transport; null without sender reports.
  camera_offset_us integer,
  size_bytes    integer not null check (size_bytes > 0),
  sha256        blob    not null check (length(sha256) = 32),
  -- live: closed by its recorder; adopted: found at start-up after a crash and completed.
  origin        text    not null check (origin in ('live', 'adopted')),
  ingested_at_us integer not null check (ingested_at_us > 0),
  unique (run_id, sequence),
  unique (volume_id, path)
) strict;
create index segment_by_camera on segment (camera_uuid, started_at_us, ended_at_us);

-- Where each fragment lies in its file: seek and playback need no look into the file.
create table fragment_map (
  segment_id  integer primary key references segment (id),
  -- Bytes before the first fragment (ftyp + moov): the segment's EXT-X-MAP.
  init_bytes  integer not null check (init_bytes > 0),
  -- Codec string for browsers, such as 'avc1.64001f'.
  codec       text    not null check (codec <> ''),
  width_px    integer not null check (width_px > 0),
  height_px   integer not null check (height_px > 0),
  -- Packed rows (evidence.fragments): offset, bytes, media time, wall time of each fragment.
  fragments   blob    not null check (length(fragments) > 0)
) strict;

-- An interval in which a camera that should have recorded did not (录像缺口). Absence is recorded, never inferred.
create table gap (
  id            integer primary key,
  camera_uuid   text    not null check (length(camera_uuid) = 36),
  started_at_us integer not null check (started_at_us > 0),
  -- Null while the gap lasts.
  ended_at_us   integer check (ended_at_us >= started_at_us),
  -- Why, a code of evidence.footage.Cause.
  cause         text    not null check (cause <> '')
) strict;
create index gap_by_camera on gap (camera_uuid, started_at_us);
create unique index gap_open_once on gap (camera_uuid) where ended_at_us is null;

-- What each camera is doing now. The recorder rewrites it every two seconds; a stale row means no recorder.
create table camera_state (
  camera_uuid    text    primary key check (length(camera_uuid) = 36),
  -- connecting, recording, stalled, down, stopped.
  state          text    not null check (state in ('connecting', 'recording', 'stalled', 'down', 'stopped')),
  -- Since when it is so.
  since_us       integer not null check (since_us > 0),
  -- Last moment bytes arrived; null: never in this run of the service.
  last_bytes_at_us integer check (last_bytes_at_us > 0),
  -- A code of evidence.footage.Cause when not recording; empty otherwise.
  cause          text    not null default '',
  -- Bits per second over the last seconds.
  bitrate_bps    integer not null default 0 check (bitrate_bps >= 0),
  updated_at_us  integer not null check (updated_at_us > 0)
) strict;

-- A file under the evidence root that could not be adopted. It is kept, never unlinked.
create table quarantined_file (
  id             integer primary key,
  volume_id      integer not null references volume (id),
  -- Where it was found and where it lies now, below the volume's folder.
  found_path     text    not null,
  path           text    not null,
  reason         text    not null check (reason <> ''),
  quarantined_at_us integer not null check (quarantined_at_us > 0),
  unique (volume_id, path)
) strict;

-- The host's wall clock jumped against its monotonic clock.
create table clock_step (
  id             integer primary key,
  -- By the clock after the step.
  noticed_at_us  integer not null check (noticed_at_us > 0),
  -- Positive: set forwards.
  step_us        integer not null check (step_us <> 0)
) strict;
