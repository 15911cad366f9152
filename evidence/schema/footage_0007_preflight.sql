-- Camera preflight (摄像机检查): what each camera was found to send when somebody asked, with a picture.

-- One camera in one check run. Never updated, never deleted: a new check is a new row.
create table camera_preflight (
  id             integer primary key,
  -- work_order.id of the check run; the two databases share no foreign keys.
  order_id       integer not null check (order_id > 0),
  camera_uuid    text    not null check (length(camera_uuid) = 36),
  checked_at_us  integer not null check (checked_at_us > 0),
  -- Where the pictures came from: recording (the file being recorded) or connection (one of its own).
  source         text    not null check (source in ('recording', 'connection')),
  -- The worst of the findings: good, warn, fail.
  grade          text    not null check (grade in ('good', 'warn', 'fail')),
  -- Canonical JSON list of topic:grade:code, judged by the limits in force then (exam.preflight).
  findings       text    not null check (json_valid(findings)),
  -- What was measured (exam.preflight.Measured), as canonical JSON; null when no picture came.
  measured       text    check (measured is null or json_valid(measured)),
  -- The reference view: a JPEG taken by the check; null when no picture came or it could not be decoded.
  picture        blob    check (length(picture) > 0),
  picture_sha256 blob    check (length(picture_sha256) = 32),
  check ((picture is null) = (picture_sha256 is null)),
  unique (order_id, camera_uuid)
) strict;
create index camera_preflight_by_camera on camera_preflight (camera_uuid, checked_at_us);
create trigger camera_preflight_never_changes before update on camera_preflight
begin
  select raise(abort, 'a camera preflight is never updated');
end;
create trigger camera_preflight_never_goes before delete on camera_preflight
begin
  select raise(abort, 'a camera preflight is never deleted');
end;
