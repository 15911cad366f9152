-- The room kept for this database was given up because its disk was full.
create table reserve_release (
  id             integer primary key,
  released_at_us integer not null check (released_at_us > 0),
  -- When there was room to set it aside again; null while there is none.
  restored_at_us integer check (restored_at_us >= released_at_us)
) strict;
