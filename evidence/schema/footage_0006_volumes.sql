-- What the recorder found at each footage folder of its settings, usable or not. Rewritten at every look.
create table volume_state (
  -- Absolute folder, as in the settings.
  path          text    primary key check (path <> ''),
  -- normal, or reserve: used only while no normal one takes footage.
  role          text    not null check (role in ('normal', 'reserve')),
  -- The volume that lies there; null while it is not certain which one that is.
  volume_id     integer references volume (id),
  -- Empty when footage can be written; else a code of evidence.volume_look.Trouble.
  trouble       text    not null default '',
  -- What was looked for and what was there instead: uuids, folders, or the words of the system. Empty without trouble.
  expected      text    not null default '',
  found         text    not null default '',
  -- Since when usable or in this trouble.
  since_us      integer not null check (since_us > 0),
  -- Numbers the file system: folders of one disk share its room. Null when it could not be read.
  device        integer,
  -- Room of the file system; null when it could not be read.
  total_bytes   integer check (total_bytes >= 0),
  free_bytes    integer check (free_bytes >= 0),
  -- Never used for footage, so that the last files and their rows still fit.
  keep_free_bytes integer not null check (keep_free_bytes >= 0),
  -- How many more files fit; null when it could not be read, or where the file system does not count them.
  free_inodes   integer check (free_inodes >= 0),
  -- Bits per second that cameras bring there now.
  write_bps     integer not null default 0 check (write_bps >= 0),
  -- Hours until it is full at that rate; null when nothing is written.
  hours_left    real check (hours_left >= 0),
  -- R0 to R3, evidence.protection.Level.
  protection    text    not null default 'R0' check (protection in ('R0', 'R1', 'R2', 'R3')),
  updated_at_us integer not null check (updated_at_us > 0)
) strict;

-- The room kept for this database was given up because its disk was full.
create table reserve_release (
  id             integer primary key,
  released_at_us integer not null check (released_at_us > 0),
  -- When there was room to set it aside again; null while there is none.
  restored_at_us integer check (restored_at_us >= released_at_us)
) strict;
