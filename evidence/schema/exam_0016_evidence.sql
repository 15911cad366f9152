-- What two people decide together about the evidence, who watches a disposal, and what the standing tables add up to.

-- Which of the two or more names of an order this is; null for orders that are older than this column.
alter table disposal_witness add column place integer check (place is null or place > 0);
-- Salt of the digest by which the ledger commits to the name; null for orders that are older than this column.
alter table disposal_witness add column salt blob check (salt is null or length(salt) = 16);

-- Something that two people decide together (两人决定): whose word about time no longer counts, or that a mirror is lost.
create table joint_decision (
  id      integer primary key,
  -- revoke_authority, give_up_mirror: evidence.joint_decisions.DecisionKind.
  kind    text    not null check (kind in ('revoke_authority', 'give_up_mirror')),
  -- What it is about: the id of a time_authority, or the uuid of a mirror.
  subject text    not null check (subject <> '')
) strict;

-- What one person did about it.
create table joint_step (
  id             integer primary key,
  decision_id    integer not null references joint_decision (id),
  -- proposed, confirmed, withdrawn: exam.joint_decisions.Step.
  step           text    not null check (step in ('proposed', 'confirmed', 'withdrawn')),
  reason         text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id     integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0),
  unique (decision_id, step)
) strict;

create trigger joint_decision_never_changes before update on joint_decision
begin
  select raise(abort, 'a row of joint_decision is never updated');
end;
create trigger joint_decision_never_goes before delete on joint_decision
begin
  select raise(abort, 'a row of joint_decision is never deleted');
end;

create trigger joint_step_never_changes before update on joint_step
begin
  select raise(abort, 'a row of joint_step is never updated');
end;
create trigger joint_step_never_goes before delete on joint_step
begin
  select raise(abort, 'a row of joint_step is never deleted');
end;

-- What the rows of a standing table add up to: one that is changed in place, such as who sits where. A row and its leaf
-- for each transaction of the program that changed it; whoever changes the table otherwise makes the sum wrong.
create table table_digest (
  id             integer primary key,
  -- Which table: a key of evidence.standing_tables.STANDING.
  table_name     text    not null check (table_name <> ''),
  -- How many rows it had then, by what the program did; below 0 when somebody else put rows in that it took away.
  row_count      integer not null,
  -- The sum of the salted SHA-256 of all its rows, modulo 2^256, in lower-case hex.
  sum            text    not null check (length(sum) = 64),
  -- The same for all tables of a site: without it nobody can guess a row from the ledger.
  salt           blob    not null check (length(salt) = 16),
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;
create index table_digest_by_table on table_digest (table_name, id);
create trigger table_digest_never_changes before update on table_digest
begin
  select raise(abort, 'a row of table_digest is never updated');
end;
create trigger table_digest_never_goes before delete on table_digest
begin
  select raise(abort, 'a row of table_digest is never deleted');
end;
