-- What became of each file's sound, what cameras' own clocks said, and which facts were recorded late.

-- none: the camera sent none; copied: its own bytes; derived: transcoded to AAC, because MP4 cannot hold what it
-- sends; left_out: not recorded, by the site's setting or because it would have stopped the video.
alter table fragment_map add column sound text not null default 'none'
  check (sound in ('none', 'copied', 'derived', 'left_out'));
-- In which codec the camera sent it, such as 'aac' or 'pcm_alaw'; empty: not known, or none.
alter table fragment_map add column sound_codec text not null default '';

-- A camera's own clock compared with ours (时钟偏差).
create table camera_clock (
  id            integer primary key,
  camera_uuid   text    not null check (length(camera_uuid) = 36),
  -- Camera's clock minus ours, microseconds; half of the question's travel is taken off.
  offset_us     integer not null,
  -- From asking to the answer, microseconds: the offset is exact to about half of it, and to what the camera rounds.
  round_trip_us integer not null check (round_trip_us >= 0),
  -- onvif: the camera was asked (whole seconds); rtcp: its sender reports told.
  source        text    not null check (source in ('onvif', 'rtcp')),
  -- Our wall clock when it was measured, microseconds UTC.
  at_us         integer not null check (at_us > 0)
) strict;
create index camera_clock_by_camera on camera_clock (camera_uuid, at_us);

-- Facts that the database refused at first and that were kept in a file beside it until it took them.
create table late_fact (
  -- Names the fact in that file, so that it is recorded once, whatever happens between.
  uuid           text    primary key check (length(uuid) = 36),
  -- When it was recorded, microseconds UTC.
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;
