-- Footage of the reserve volume that is brought to a normal one (迁回), so that the reserve has its room again.

-- One file on its way, or brought home. The row is there before the copy gets its name; it is completed twice.
create table segment_relocation (
  id             integer primary key,
  segment_id     integer not null references segment (id),
  -- Where the file was recorded, and where it goes. The path below the volume stays the same.
  from_volume_id integer not null references volume (id),
  to_volume_id   integer not null references volume (id) check (to_volume_id <> from_volume_id),
  -- A copy with the right digest lay on the other volume then, under a name that is no footage.
  begun_at_us    integer not null check (begun_at_us > 0),
  -- Since when segment.volume_id names the new place; null: it still names the old one.
  moved_at_us    integer check (moved_at_us >= begun_at_us),
  -- When the first file was gone and its folder durable; null: both are there.
  released_at_us integer check (released_at_us >= moved_at_us)
) strict;
create unique index segment_relocation_open_once on segment_relocation (segment_id) where released_at_us is null;
create trigger segment_relocation_is_only_completed before update on segment_relocation
when old.released_at_us is not null or new.moved_at_us is null or new.begun_at_us <> old.begun_at_us
  or (old.moved_at_us is null) <> (new.released_at_us is null)
  or (old.moved_at_us is not null and new.moved_at_us <> old.moved_at_us)
  or new.segment_id <> old.segment_id or new.from_volume_id <> old.from_volume_id
  or new.to_volume_id <> old.to_volume_id
begin
  select raise(abort, 'a row of segment_relocation is only completed');
end;
create trigger segment_relocation_never_goes before delete on segment_relocation
begin
  select raise(abort, 'a row of segment_relocation is never deleted');
end;

-- The leaf of each relocation, found without reading the whole ledger.
create index ledger_leaf_of_relocation on ledger_leaf (json_extract(body, '$.segment_relocation_id'))
  where kind = 'segment_relocated';
