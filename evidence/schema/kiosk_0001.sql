-- kiosk.db: what a check-in kiosk keeps so that it can work without the console and loses no record. No ledger: the
-- record is the console's, and everything here is on its way there or came from there. Written by the kiosk alone.

-- One scan. Durable before anybody is asked about it; never deleted, so that people can compare with the console.
create table scan (
  -- The order in which this kiosk scanned; sent along as its sequence.
  id                   integer primary key check (id > 0),
  -- Made before the first try: the console gives one answer to one nonce.
  nonce                text    not null unique check (length(nonce) between 16 and 64),
  -- Which run of the kiosk made it.
  boot_id              text    not null check (length(boot_id) between 8 and 64),
  -- When the second document was read, by this kiosk's clock, microseconds since 1970 UTC.
  scanned_at_us        integer not null check (scanned_at_us > 0),
  -- The check-in as it is sent, sealed with the kiosk's outbox key, for it holds document numbers. Null: the console has
  -- it on record and nothing of it is needed here.
  sealed_body          text,
  -- asking: nobody was told anything yet. waiting: this kiosk decided alone, the console does not know. delivered: the
  -- console has it on record. needs_human: the console will not take it, or it cannot be opened; it is kept.
  state                text    not null default 'asking' check (state in ('asking', 'waiting', 'delivered', 'needs_human')),
  -- What the candidate was told (exam.outcomes), and the whole answer as JSON: no full name or number. Null: nothing.
  outcome              text,
  answer               text    check (answer is null or json_valid(answer)),
  -- 1: this kiosk decided alone. 0: the console did, or nobody yet.
  was_alone            integer not null default 0 check (was_alone in (0, 1)),
  -- Whom this kiosk let in alone, for which session and to which place, in the console's numbers; null: nobody.
  candidate_id         integer,
  session_id           integer,
  place_id             integer,
  -- When, by the console's clock as far as known. Null: it let nobody in alone.
  let_in_at_us         integer check (let_in_at_us > 0),
  -- When the console had it on record, by the console's clock as far as known. Null: not yet.
  delivered_at_us      integer check (delivered_at_us > 0),
  -- Why a person must look, for staff; holds no number of a document.
  problem              text    not null default '',
  check (sealed_body is not null or state = 'delivered'),
  check (state <> 'needs_human' or problem <> ''),
  check ((let_in_at_us is null) = (candidate_id is null)),
  check ((candidate_id is null) = (session_id is null) and (session_id is null) = (place_id is null))
) strict;
create index scan_not_delivered on scan (id) where state <> 'delivered';
create trigger scan_never_goes before delete on scan
begin
  select raise(abort, 'a scan is never deleted');
end;
create trigger scan_keeps_its_name before update of id, nonce, boot_id, scanned_at_us on scan
begin
  select raise(abort, 'when and under which nonce somebody was scanned never changes');
end;
create trigger scan_stays_delivered before update of state on scan when old.state = 'delivered'
begin
  select raise(abort, 'what the console has on record stays delivered');
end;

-- A photo or signature of somebody who checks in here, on its way to the console. Durable in the same transaction as the
-- scan that names it; never deleted, so that people can compare.
create table picture (
  -- SHA-256 of its bytes, lower-case hex: by this the check-in names it.
  sha256               text    primary key check (length(sha256) = 64),
  -- The first scan that names it.
  scan_id              integer not null references scan (id),
  -- What it is: photo, signature.
  kind                 text    not null check (kind in ('photo', 'signature')),
  -- As what it is sent.
  media_type           text    not null check (media_type <> ''),
  -- Its bytes, sealed with the kiosk's outbox key. Null: the console has it and it is not needed here.
  sealed_content       text,
  -- Why a person must look, for staff: the console does not take it, or it cannot be opened. Empty: nothing is wrong.
  problem              text    not null default ''
) strict;
create index picture_not_delivered on picture (scan_id) where sealed_content is not null;
create trigger picture_never_goes before delete on picture
begin
  select raise(abort, 'a picture is never deleted');
end;

-- What the console sent so that this kiosk can work alone: one row of each kind, replaced whole.
create table kept_package (
  -- roster: roster package; day: day part (docs/design/kiosk-sync.md).
  kind                 text    primary key check (kind in ('roster', 'day')),
  -- Signed and sealed as it came.
  content              blob    not null,
  -- By which the console tells whether it is the present one.
  tag                  text    not null check (tag <> ''),
  -- When the console last said so, by the console's clock: the age of the roster counts from here.
  confirmed_at_us      integer not null check (confirmed_at_us > 0)
) strict;

-- A try of a staff PIN, counted before it was checked (exam.pin_attempts). A right one clears those of its PIN.
create table pin_try (
  id                   integer primary key,
  -- Which PIN, in the console's numbers.
  pin_id               integer not null,
  -- By the console's clock as far as known.
  tried_at_us          integer not null check (tried_at_us > 0)
) strict;
create index pin_try_by_pin on pin_try (pin_id);

-- What this kiosk knows of itself and must still know after a restart: one row.
create table kiosk_state (
  id                   integer primary key check (id = 1),
  -- This kiosk's clock minus the console's when they were last compared, and how wrong that may be. Null: never compared.
  clock_offset_us      integer,
  clock_uncertainty_us integer check (clock_uncertainty_us >= 0),
  -- 1: people have put it out of service.
  is_out_of_service    integer not null default 0 check (is_out_of_service in (0, 1)),
  -- 1: the console has revoked it, and it has wiped itself.
  is_revoked           integer not null default 0 check (is_revoked in (0, 1)),
  check ((clock_offset_us is null) = (clock_uncertainty_us is null))
) strict;
insert into kiosk_state (id) values (1);
