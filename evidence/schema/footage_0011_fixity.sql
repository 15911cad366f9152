-- Is every file of footage still what was indexed (完整性校验), is it there at all, and where lies its second copy?

-- What the last reading of a file found. Rewritten by each reading; the ledger keeps one leaf for each turn of readings.
create table fixity_result (
  segment_id    integer primary key references segment (id),
  -- sound, damaged (another digest or size), missing, unreadable (the disk gives an error).
  result        text    not null check (result in ('sound', 'damaged', 'missing', 'unreadable')),
  checked_at_us integer not null check (checked_at_us > 0)
) strict;
create index fixity_result_by_age on fixity_result (checked_at_us, segment_id);

-- Some files read one after another. The leaf says the same; its list_sha256 is described in docs/design/evidence.md.
create table fixity_turn (
  id            integer primary key,
  -- exam.db: work_order.id when people asked for it; null for the regular reading.
  order_id      integer check (order_id > 0),
  began_at_us   integer not null check (began_at_us > 0),
  ended_at_us   integer not null check (ended_at_us > 0),
  files         integer not null check (files > 0),
  -- Bytes that were read.
  read_bytes    integer not null check (read_bytes >= 0),
  first_segment_id integer not null,
  last_segment_id integer not null,
  -- How many were not sound.
  troubles      integer not null check (troubles >= 0),
  -- SHA-256 over one line for each file.
  list_sha256   blob    not null check (length(list_sha256) = 32)
) strict;

-- A folder for second copies (第二份副本), on another disk than every volume. It holds a file with the same uuid.
create table mirror (
  id            integer primary key,
  uuid          text    not null unique check (length(uuid) = 36),
  -- Absolute folder where it was last seen.
  path          text    not null check (path <> ''),
  created_at_us integer not null check (created_at_us > 0)
) strict;

-- A file that is not what was indexed. Completed once, when the footage is whole again.
create table damage (
  id            integer primary key,
  segment_id    integer not null references segment (id),
  -- damaged, missing, unreadable.
  kind          text    not null check (kind in ('damaged', 'missing', 'unreadable')),
  -- Who noticed: fixity (a reading), presence (a look at the folder), mirror (while copying).
  found_by      text    not null check (found_by in ('fixity', 'presence', 'mirror')),
  found_at_us   integer not null check (found_at_us > 0),
  -- The mirror it is being restored from, written before the file is put in its place; null when it is not.
  restoring_mirror_id integer references mirror (id),
  -- Null while it lasts.
  repaired_at_us integer check (repaired_at_us > 0),
  -- How: mirror (copied back), came_back (a later reading finds the file sound). Null while it lasts.
  repaired_by   text    check (repaired_by in ('mirror', 'came_back')),
  check ((repaired_at_us is null) = (repaired_by is null))
) strict;
create unique index damage_open_once on damage (segment_id) where repaired_at_us is null;
create index damage_by_age on damage (found_at_us);
create trigger damage_is_only_completed before update on damage
when old.repaired_at_us is not null or new.segment_id <> old.segment_id
  or new.kind <> old.kind or new.found_by <> old.found_by or new.found_at_us <> old.found_at_us
begin
  select raise(abort, 'a row of damage is only completed');
end;
create trigger damage_never_goes before delete on damage
begin
  select raise(abort, 'a row of damage is never deleted');
end;

-- How far the regular reading is with each volume. Rewritten every few minutes.
create table fixity_progress (
  volume_id     integer primary key references volume (id),
  -- Files and bytes of the volume that are not disposed of, and those of them read within the period.
  files         integer not null check (files >= 0),
  total_bytes   integer not null check (total_bytes >= 0),
  checked_files integer not null check (checked_files >= 0),
  checked_bytes integer not null check (checked_bytes >= 0),
  -- When the file was read that was read longest ago; null while some were never read.
  oldest_at_us  integer check (oldest_at_us > 0),
  updated_at_us integer not null check (updated_at_us > 0)
) strict;

-- The last look at all day folders. One row.
create table presence_look (
  id            integer primary key check (id = 1),
  -- Files without a row that were there in two looks; told, never touched.
  strays        integer not null check (strays >= 0),
  looked_at_us  integer not null check (looked_at_us > 0)
) strict;

-- The second copy of one file, at the same path below the mirror's folder. The row is there before the first byte.
create table mirror_copy (
  segment_id    integer not null references segment (id),
  mirror_id     integer not null references mirror (id),
  -- When it was read back and had the index's digest; null while it is being made, or once it was found bad.
  verified_at_us integer check (verified_at_us > 0),
  primary key (segment_id, mirror_id)
) strict;

-- Some files copied one after another; the leaf says the same.
create table mirror_turn (
  id            integer primary key,
  mirror_id     integer not null references mirror (id),
  ended_at_us   integer not null check (ended_at_us > 0),
  files         integer not null check (files > 0),
  copied_bytes  integer not null check (copied_bytes >= 0),
  first_segment_id integer not null,
  last_segment_id integer not null,
  -- SHA-256 over one line for each file, as in fixity_turn.
  list_sha256   blob    not null check (length(list_sha256) = 32)
) strict;

-- What was found at the mirror's folder. One row while a mirror is set.
create table mirror_state (
  path          text    primary key check (path <> ''),
  -- Null while it is not certain which mirror lies there.
  mirror_id     integer references mirror (id),
  -- Empty when copies can be made; else a code of evidence.mirror_look.MirrorTrouble.
  trouble       text    not null default '',
  -- What was looked for and what was there instead. Empty without trouble.
  expected      text    not null default '',
  found         text    not null default '',
  -- Since when usable or in this trouble.
  since_us      integer not null check (since_us > 0),
  -- Room of its file system; null when it could not be read.
  free_bytes    integer check (free_bytes >= 0),
  -- Files without a verified copy there.
  behind_files  integer not null default 0 check (behind_files >= 0),
  updated_at_us integer not null check (updated_at_us > 0)
) strict;
