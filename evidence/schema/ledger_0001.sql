-- The ledger (台账): one leaf per fact, appended in the fact's own transaction (evidence.ledger). Never updated,
-- never deleted: correcting means a new leaf. Applied to exam.db and to footage.db: each has a ledger of its own.
-- "if not exists": a database of the first release made these tables in its first step, word for word.
create table if not exists ledger_leaf (
  -- Index of the leaf in the Merkle tree, from 0, without holes.
  id             integer primary key check (id >= 0),
  -- Which fact: a code of evidence.ledger.LeafKind.
  kind           text    not null check (kind <> ''),
  -- What the fact was, as canonical JSON: ids, codes, times and digests, never a name or an ID number.
  body           text    not null check (json_valid(body)),
  -- When the leaf was appended.
  recorded_at_us integer not null check (recorded_at_us > 0),
  -- SHA-256 of 0x00 and the entry made of the four columns before (RFC 6962).
  leaf_hash      blob    not null check (length(leaf_hash) = 32)
) strict;
create trigger if not exists ledger_leaf_never_changes before update on ledger_leaf
begin
  select raise(abort, 'a ledger row is never updated');
end;
create trigger if not exists ledger_leaf_never_goes before delete on ledger_leaf
begin
  select raise(abort, 'a ledger row is never deleted');
end;
create trigger if not exists ledger_leaf_follows_the_last before insert on ledger_leaf
when new.id <> (select coalesce(max(id) + 1, 0) from ledger_leaf)
begin
  select raise(abort, 'a ledger row is only added at the end');
end;

-- The complete subtrees of the ledger's tree, final once they exist: roots and proofs in O(log n).
create table if not exists ledger_node (
  -- The subtree covers 2^level leaves from position * 2^level on; level 0 is in ledger_leaf.
  level          integer not null check (level > 0),
  position       integer not null check (position >= 0),
  -- SHA-256 of 0x01 and the two halves (RFC 6962).
  hash           blob    not null check (length(hash) = 32),
  primary key (level, position)
) strict, without rowid;
create trigger if not exists ledger_node_never_changes before update on ledger_node
begin
  select raise(abort, 'a ledger row is never updated');
end;
create trigger if not exists ledger_node_never_goes before delete on ledger_node
begin
  select raise(abort, 'a ledger row is never deleted');
end;
create trigger if not exists ledger_node_comes_once before insert on ledger_node
when exists (select 1 from ledger_node where level = new.level and position = new.position)
begin
  select raise(abort, 'a ledger row is only added once');
end;
