-- What people decide about keeping footage: batches closed, holds, disposals. Nothing here is updated or deleted.

-- A batch was closed, or opened again (批次结束). Retention is counted from the latest closing; a batch that is
-- open again keeps everything until it is closed once more. batch.closed_at_us tells the state now.
create table batch_closing (
  id             integer primary key,
  batch_id       integer not null references batch (id),
  action         text    not null check (action in ('closed', 'reopened')),
  -- Years of the retention policy when it was closed; a later policy can only make it longer.
  years          integer not null check (years >= 5),
  -- Code of the retention class in config/retention.toml, which names the legal basis.
  retention_class text   not null check (retention_class <> ''),
  reason         text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id     integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;

-- Footage of a day on which no batch sat, given to a batch by a person. Several may be given: the latest end wins.
create table day_assignment (
  id             integer primary key,
  -- The site's date (Asia/Shanghai), as 2026-11-22.
  site_day       text    not null check (site_day glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  batch_id       integer not null references batch (id),
  reason         text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id     integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;

-- A legal hold (封存) or a restriction (限制处理: kept, viewable by nobody). Where it stands: its steps.
create table hold (
  id       integer primary key,
  kind     text    not null check (kind in ('legal_hold', 'restriction')),
  -- The batch held as a whole; null when stretches of cameras are held.
  batch_id integer references batch (id),
  -- JSON array of 'camera uuid/from/until' in microseconds UTC, end excluded; '[]' when a batch is held.
  reaches  text    not null check (json_valid(reaches)),
  -- What is held, in words for people: '第3考场 T1'.
  words    text    not null check (words <> ''),
  check ((batch_id is null) = (reaches <> '[]'))
) strict;

-- What a person did about a hold; see exam.holds for what may follow what.
create table hold_step (
  id             integer primary key,
  hold_id        integer not null references hold (id),
  -- Code of exam.holds.HoldStep.
  step           text    not null check (step in ('proposed', 'confirmed', 'withdrawn', 'lift_proposed',
                                                  'lift_refused', 'lifted')),
  reason         text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id     integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;
create index hold_step_by_hold on hold_step (hold_id, id);

-- Whose word about the time is taken for a disposal: a time stamping authority (RFC 3161) or a person with a key.
-- It counts only for plans that were proposed after it was registered.
create table time_authority (
  id             integer primary key,
  kind           text    not null check (kind in ('tsa', 'cosigner')),
  name           text    not null check (name <> ''),
  -- tsa: its root certificates, PEM; cosigner: an Ed25519 public key, PEM.
  public_pem     text    not null check (public_pem glob '-----BEGIN*'),
  account_id     integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;

-- A disposal register (销毁清册) from its proposal on: a frozen list of files. Kept for ever.
create table disposal_plan (
  id             integer primary key,
  -- What people call it: '销毁-2032-001'.
  number         text    not null unique check (number <> ''),
  batch_id       integer not null references batch (id),
  -- The frozen list: one line of canonical JSON about the plan, then one for each file (docs/design/evidence.md).
  document       text    not null check (document <> ''),
  -- SHA-256 of the document in UTF-8: what approvals and outside time are given over.
  digest         blob    not null unique check (length(digest) = 32),
  -- Result of the appraisal (鉴定意见).
  appraisal      text    not null check (appraisal <> ''),
  -- Salt of the digest by which the ledger commits to the appraisal.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id     integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;

-- Somebody approved or rejected a plan. One rejection ends it.
create table disposal_approval (
  id             integer primary key,
  plan_id        integer not null references disposal_plan (id),
  decision       text    not null check (decision in ('approved', 'rejected')),
  note           text    not null check (note <> ''),
  -- Salt of the digest by which the ledger commits to the note.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id     integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0),
  unique (plan_id, account_id)
) strict;

-- The time from outside the machine, given over a plan's digest.
create table disposal_time (
  id             integer primary key,
  plan_id        integer not null references disposal_plan (id),
  authority_id   integer not null references time_authority (id),
  -- tsa: the RFC 3161 response, DER; cosigner: the 64 bytes of the signature.
  token          blob    not null check (length(token) > 0),
  -- The moment it states.
  proved_at_us   integer not null check (proved_at_us > 0),
  account_id     integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0),
  unique (plan_id, token)
) strict;

-- Who watches the destruction (监销): named with the order to carry a plan out.
create table disposal_witness (
  order_id integer not null references work_order (id),
  -- The person's name as written on the register.
  name     text    not null check (name <> ''),
  primary key (order_id, name)
) strict, without rowid;

-- Somebody tried what is not allowed, over the console.
create table disposal_attempt (
  id             integer primary key,
  -- The console's address that refused: an endpoint's name.
  endpoint       text    not null check (endpoint <> ''),
  -- Who tried; null without a login.
  account_id     integer references account (id),
  -- What the console answered: an HTTP status code.
  answer         integer not null check (answer >= 400),
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;

create trigger batch_closing_never_changes before update on batch_closing
begin
  select raise(abort, 'a row of batch_closing is never updated');
end;
create trigger batch_closing_never_goes before delete on batch_closing
begin
  select raise(abort, 'a row of batch_closing is never deleted');
end;

create trigger day_assignment_never_changes before update on day_assignment
begin
  select raise(abort, 'a row of day_assignment is never updated');
end;
create trigger day_assignment_never_goes before delete on day_assignment
begin
  select raise(abort, 'a row of day_assignment is never deleted');
end;

create trigger hold_never_changes before update on hold
begin
  select raise(abort, 'a row of hold is never updated');
end;
create trigger hold_never_goes before delete on hold
begin
  select raise(abort, 'a row of hold is never deleted');
end;

create trigger hold_step_never_changes before update on hold_step
begin
  select raise(abort, 'a row of hold_step is never updated');
end;
create trigger hold_step_never_goes before delete on hold_step
begin
  select raise(abort, 'a row of hold_step is never deleted');
end;

create trigger time_authority_never_changes before update on time_authority
begin
  select raise(abort, 'a row of time_authority is never updated');
end;
create trigger time_authority_never_goes before delete on time_authority
begin
  select raise(abort, 'a row of time_authority is never deleted');
end;

create trigger disposal_plan_never_changes before update on disposal_plan
begin
  select raise(abort, 'a row of disposal_plan is never updated');
end;
create trigger disposal_plan_never_goes before delete on disposal_plan
begin
  select raise(abort, 'a row of disposal_plan is never deleted');
end;

create trigger disposal_approval_never_changes before update on disposal_approval
begin
  select raise(abort, 'a row of disposal_approval is never updated');
end;
create trigger disposal_approval_never_goes before delete on disposal_approval
begin
  select raise(abort, 'a row of disposal_approval is never deleted');
end;

create trigger disposal_time_never_changes before update on disposal_time
begin
  select raise(abort, 'a row of disposal_time is never updated');
end;
create trigger disposal_time_never_goes before delete on disposal_time
begin
  select raise(abort, 'a row of disposal_time is never deleted');
end;

create trigger disposal_witness_never_changes before update on disposal_witness
begin
  select raise(abort, 'a row of disposal_witness is never updated');
end;
create trigger disposal_witness_never_goes before delete on disposal_witness
begin
  select raise(abort, 'a row of disposal_witness is never deleted');
end;

create trigger disposal_attempt_never_changes before update on disposal_attempt
begin
  select raise(abort, 'a row of disposal_attempt is never updated');
end;
create trigger disposal_attempt_never_goes before delete on disposal_attempt
begin
  select raise(abort, 'a row of disposal_attempt is never deleted');
end;
