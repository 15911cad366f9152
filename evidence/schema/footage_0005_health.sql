-- What is wrong with the pictures themselves, although they arrive (画面质量). One row per camera and trouble,
-- completed once when it is over. The rules are in recorder/picture_rules.py, the limits in config/picture_health.toml.
create table picture_health (
  id             integer primary key,
  camera_uuid    text    not null check (length(camera_uuid) = 36),
  -- A code of evidence.health.HealthKind.
  kind           text    not null check (kind <> ''),
  -- Our wall clock at the first picture that showed it, microseconds UTC.
  began_at_us    integer not null check (began_at_us > 0),
  -- When the alarm was given: the trouble had lasted long enough to be believed. Microseconds UTC.
  noticed_at_us  integer not null check (noticed_at_us > 0),
  -- Our wall clock at the first picture without it; null while it lasts.
  ended_at_us    integer check (ended_at_us >= began_at_us),
  -- The measures that decided, as a JSON object of numbers (docs/design/picture-health.md names them).
  measured       text    not null check (json_valid(measured))
) strict;
create index picture_health_by_camera on picture_health (camera_uuid, began_at_us);
create unique index picture_health_open_once on picture_health (camera_uuid, kind) where ended_at_us is null;

-- What a camera is meant to see: later pictures are compared with its latest row. Never updated.
create table reference_view (
  id             integer primary key,
  camera_uuid    text    not null check (length(camera_uuid) = 36),
  -- preflight: looked at and accepted by a person; first_pictures: taken by the recorder because there was none.
  source         text    not null check (source in ('preflight', 'first_pictures')),
  -- Moment of the picture, microseconds UTC.
  taken_at_us    integer not null check (taken_at_us > 0),
  -- Grey picture of 320 x 180, as PNG.
  picture        blob    not null check (length(picture) > 0)
) strict;
create index reference_view_by_camera on reference_view (camera_uuid, id);
