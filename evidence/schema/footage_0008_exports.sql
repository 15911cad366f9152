-- Footage that left the house: the register of bags (取证导出包), and quick ways from a fact to its ledger leaf.

-- One bag, written before it becomes valid: every valid bag has a row. Never updated, never deleted.
create table export_bag (
  id             integer primary key,
  -- work_order.id in exam.db; the two databases share no foreign keys.
  order_id       integer not null check (order_id > 0),
  -- Which part of how many, from 1.
  part           integer not null check (part > 0),
  parts          integer not null check (parts >= part),
  -- Name of the bag's folder, without the folder it lies in.
  name           text    not null check (name <> ''),
  -- Footage in it: files and bytes, without derived copies.
  segments       integer not null check (segments >= 0),
  segment_bytes  integer not null check (segment_bytes >= 0),
  -- SHA-256 of its tagmanifest-sha256.txt, which stands for every byte of the bag.
  tagmanifest_sha256 blob not null check (length(tagmanifest_sha256) = 32),
  -- 1: everything asked for is in it or is a recorded gap; 0: it names parts that are not.
  is_complete    integer not null check (is_complete in (0, 1)),
  made_at_us     integer not null check (made_at_us > 0)
) strict;
create index export_bag_by_order on export_bag (order_id, part);
create trigger export_bag_never_changes before update on export_bag
begin
  select raise(abort, 'a bag is never changed');
end;
create trigger export_bag_never_goes before delete on export_bag
begin
  select raise(abort, 'the register of bags is kept for ever');
end;

create index ledger_leaf_of_segment on ledger_leaf (json_extract(body, '$.segment_id')) where kind = 'segment';
create index ledger_leaf_of_gap on ledger_leaf (json_extract(body, '$.gap_id'))
  where kind in ('gap_open', 'gap_end');
