-- exam_checkpoints.db and footage_checkpoints.db: the signed checkpoints of one ledger, apart from it so that an
-- older copy of the ledger put back is noticed. Written by the service that writes the ledger.

-- One signed statement about the ledger: so many leaves, this root. Never updated, never deleted.
create table checkpoint (
  -- Position in the row of checkpoints, from 1, without holes: a second writer's insert fails.
  id           integer primary key check (id > 0),
  -- The whole signed note (docs/design/evidence.md), the only place where size and root stand.
  note         text    not null check (note <> ''),
  signed_at_us integer not null check (signed_at_us > 0)
) strict;
create trigger checkpoint_never_changes before update on checkpoint
begin
  select raise(abort, 'a checkpoint is never updated');
end;
create trigger checkpoint_never_goes before delete on checkpoint
begin
  select raise(abort, 'a checkpoint is never deleted');
end;
create trigger checkpoint_follows_the_last before insert on checkpoint
when new.id <> (select coalesce(max(id) + 1, 1) from checkpoint)
begin
  select raise(abort, 'a checkpoint only follows the last one');
end;
