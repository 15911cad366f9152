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
