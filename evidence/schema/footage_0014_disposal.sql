-- What else is destroyed with a disposed file, and volumes whose disk is lost.

-- A file in quarantine that is what was left of a disposed one: its damaged original, or its torn end. The row is
-- written with that of the disposal, and so durable before anything is unlinked.
create table disposal_remnant (
  quarantined_file_id integer primary key references quarantined_file (id),
  segment_id    integer not null references disposal (segment_id)
) strict;
create index disposal_remnant_by_segment on disposal_remnant (segment_id);
create trigger disposal_remnant_never_changes before update on disposal_remnant
begin
  select raise(abort, 'a row of disposal_remnant is never updated');
end;
create trigger disposal_remnant_never_goes before delete on disposal_remnant
begin
  select raise(abort, 'a row of disposal_remnant is never deleted');
end;

-- A volume that is lost for good: its disk is dead or gone. Declared by an order to bring its footage back from a mirror.
create table volume_loss (
  id             integer primary key,
  volume_id      integer not null references volume (id),
  -- Where its footage is brought.
  target_volume_id integer not null references volume (id) check (target_volume_id <> volume_id),
  -- exam.db: work_order.id.
  order_id       integer not null unique check (order_id > 0),
  -- Kept files that the index knew there then, their bytes, and how many of them had a verified second copy.
  files          integer not null check (files >= 0),
  size_bytes     integer not null check (size_bytes >= 0),
  copied_files   integer not null check (copied_files between 0 and files),
  declared_at_us integer not null check (declared_at_us > 0)
) strict;
create trigger volume_loss_never_changes before update on volume_loss
begin
  select raise(abort, 'a row of volume_loss is never updated');
end;
create trigger volume_loss_never_goes before delete on volume_loss
begin
  select raise(abort, 'a row of volume_loss is never deleted');
end;

-- The mirror a file was brought from; null: from the volume where it was recorded, which was brought home. A file from
-- a mirror is complete once it has moved: what it was recorded on is lost.
alter table segment_relocation add column mirror_id integer references mirror (id);
drop trigger segment_relocation_is_only_completed;
create trigger segment_relocation_is_only_completed before update on segment_relocation
when old.released_at_us is not null or new.moved_at_us is null or new.begun_at_us <> old.begun_at_us
  or (old.moved_at_us is null) <> (new.released_at_us is null)
  or (old.moved_at_us is not null and new.moved_at_us <> old.moved_at_us)
  or new.segment_id <> old.segment_id or new.from_volume_id <> old.from_volume_id
  or new.to_volume_id <> old.to_volume_id or new.mirror_id is not old.mirror_id
begin
  select raise(abort, 'a row of segment_relocation is only completed');
end;
