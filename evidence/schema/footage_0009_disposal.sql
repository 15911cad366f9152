-- What became of the files that people decided to destroy. The rows of segment stay for ever (tombstones).

-- A file of a disposal register. The row, with its leaf, is durable before the file is unlinked.
create table disposal (
  segment_id    integer primary key references segment (id),
  -- exam.db: work_order.id and disposal_plan.id; the two databases share no foreign keys.
  order_id      integer not null check (order_id > 0),
  plan_id       integer not null check (plan_id > 0),
  -- disposal_plan.number, so that this database alone can say which register names the file.
  plan_number   text    not null check (plan_number <> ''),
  -- Digest of the plan's document.
  plan_digest   blob    not null check (length(plan_digest) = 32),
  -- The moment from outside the machine that allowed it.
  proved_at_us  integer not null check (proved_at_us > 0),
  decided_at_us integer not null check (decided_at_us > 0),
  -- When the file was gone and its folder durable; null: still to be done, taken up again at the next start.
  done_at_us    integer check (done_at_us > 0)
) strict;
create trigger disposal_never_changes before update on disposal
when old.done_at_us is not null or new.done_at_us is null or new.segment_id <> old.segment_id
  or new.plan_id <> old.plan_id or new.plan_digest <> old.plan_digest or new.plan_number <> old.plan_number
begin
  select raise(abort, 'a row of disposal is only completed');
end;
create trigger disposal_never_goes before delete on disposal
begin
  select raise(abort, 'a row of disposal is never deleted');
end;

-- A file that disposal was asked for and refused.
create table disposal_refusal (
  id            integer primary key,
  -- exam.db: work_order.id as it was given, known or not.
  order_id      integer not null,
  -- segment.id as it was given, known or not.
  segment_id    integer not null,
  -- Codes of evidence.disposal_permit, separated by spaces.
  reasons       text    not null check (reasons <> ''),
  refused_at_us integer not null check (refused_at_us > 0)
) strict;
create trigger disposal_refusal_never_changes before update on disposal_refusal
begin
  select raise(abort, 'a row of disposal_refusal is never updated');
end;
create trigger disposal_refusal_never_goes before delete on disposal_refusal
begin
  select raise(abort, 'a row of disposal_refusal is never deleted');
end;

-- The leaf of each segment, found without reading the whole ledger.
create index if not exists ledger_leaf_of_segment on ledger_leaf (json_extract(body, '$.segment_id'))
  where kind = 'segment';
