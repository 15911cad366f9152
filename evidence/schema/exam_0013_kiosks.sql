-- Kiosks in depth: how they come in, where they serve, what they report, what they hold of the roster.
-- How a kiosk and the console speak about all this: docs/design/kiosk-sync.md.

-- Ed25519 public key that the kiosk made for itself; null: enrolled before kiosks had one.
alter table kiosk add column public_key blob check (length(public_key) = 32);
-- What the kiosk said about its machine when it enrolled, a JSON object of short texts.
alter table kiosk add column hardware text not null default '{}' check (json_valid(hardware));
-- Digest of a token that was given out to replace the present one, which works until this one is first used; null: none.
alter table kiosk add column next_token_sha256 blob check (length(next_token_sha256) = 32);
-- When people asked for another token; the kiosk hears of it with its next heartbeat. Null: nobody asks.
alter table kiosk add column roll_wanted_at_us integer check (roll_wanted_at_us > 0);

-- The rooms a kiosk serves; none: the whole site. With exactly one, kiosk.room_id names it too.
create table kiosk_room (
  kiosk_id integer not null references kiosk (id),
  room_id  integer not null references room (id),
  primary key (kiosk_id, room_id)
) strict, without rowid;

-- The sessions a kiosk serves; none: every session of its rooms.
create table kiosk_session (
  kiosk_id   integer not null references kiosk (id),
  session_id integer not null references session (id),
  primary key (kiosk_id, session_id)
) strict, without rowid;

-- A one-time token by which a machine may enrol as a kiosk, for ten minutes. Its digest alone is kept.
create table kiosk_enrolment (
  id            integer primary key,
  token_sha256  blob    not null unique check (length(token_sha256) = 32),
  -- What the kiosk will be called.
  label         text    not null check (label <> ''),
  -- The kiosk that enrols again, keeping its identity; null: a new one.
  kiosk_id      integer references kiosk (id),
  -- Ids of the rooms and sessions it will serve, JSON arrays; empty: all.
  rooms         text    not null check (json_valid(rooms)),
  sessions      text    not null check (json_valid(sessions)),
  created_by    integer not null references account (id),
  created_at_us integer not null check (created_at_us > 0),
  expires_at_us integer not null check (expires_at_us > created_at_us),
  -- When a machine enrolled with it; null: not yet. Set once.
  used_at_us    integer check (used_at_us > 0)
) strict;

-- What people (or the console, for the kiosk of its own machine) did with a kiosk. Never updated, never deleted.
create table kiosk_change (
  id            integer primary key,
  kiosk_id      integer not null references kiosk (id),
  -- enrolled: it got its token; rolled: another one; revoked: shut out, and told to wipe itself; bound: serves other
  -- rooms or sessions; out_of_service, back_in_service: the switch of the console.
  act           text    not null check (act in ('enrolled', 'rolled', 'revoked', 'bound', 'out_of_service',
                                                'back_in_service')),
  -- Ids of the rooms and sessions it serves from now on, JSON arrays; empty: all. Null where the act changes neither.
  rooms         text    check (rooms is null or json_valid(rooms)),
  sessions      text    check (sessions is null or json_valid(sessions)),
  -- Why; empty where nobody was asked.
  reason        text    not null default '',
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt          blob    not null default (randomblob(16)) check (length(salt) = 16),
  -- Who decided; null: the console itself, for the kiosk of its own machine.
  account_id    integer references account (id),
  changed_at_us integer not null check (changed_at_us > 0)
) strict;
create index kiosk_change_by_kiosk on kiosk_change (kiosk_id, id);
create trigger kiosk_change_never_changes before update on kiosk_change
begin
  select raise(abort, 'a change of a kiosk is never updated');
end;
create trigger kiosk_change_never_goes before delete on kiosk_change
begin
  select raise(abort, 'a change of a kiosk is never deleted');
end;

-- What each kiosk last said about itself. Rewritten by every heartbeat: a state, no record.
create table kiosk_state (
  kiosk_id        integer primary key references kiosk (id),
  -- When the heartbeat arrived, by this machine's clock.
  heard_at_us     integer not null check (heard_at_us > 0),
  -- The kiosk's clock minus this machine's.
  offset_us       integer not null,
  -- Records that wait at the kiosk to be sent, and those that a person must look at.
  queue_length    integer not null check (queue_length >= 0),
  needs_human     integer not null check (needs_human >= 0),
  -- Revision of the roster package it holds; null: none.
  roster_revision integer check (roster_revision > 0),
  -- Since when each trouble lasts, a JSON object: code of exam.kiosk_health.Trouble to microseconds.
  since           text    not null check (json_valid(since)),
  -- Room on the disk that holds its records.
  disk_free_bytes integer not null check (disk_free_bytes >= 0),
  -- State of its camera, scanner and so on: a JSON object, part to code of exam.kiosk_health.PartState.
  parts           text    not null check (json_valid(parts)),
  -- Versions of what runs there: a JSON object of short texts.
  versions        text    not null check (json_valid(versions)),
  -- Whether it takes nobody, for whatever reason: 0 or 1.
  is_out_of_service integer not null check (is_out_of_service in (0, 1)),
  -- The boot id of its kernel: tells a restarted machine from a silent one.
  boot_id         text    not null,
  -- Ids of staff PINs that are locked there after too many wrong tries, a JSON array.
  locked_pins     text    not null default '[]' check (json_valid(locked_pins))
) strict;

-- A staff PIN (签到口令) as the pair of public keys that follow from it: nothing here opens or signs anything. Never
-- updated, never deleted: acts signed with an earlier PIN must stay verifiable. A person's latest row is in force.
create table staff_pin (
  id              integer primary key,
  account_id      integer not null references account (id),
  -- What the PIN was stretched with (scrypt): salt, and cost as n, r and p.
  salt            blob    not null check (length(salt) = 16),
  cost_n          integer not null check (cost_n > 1),
  cost_r          integer not null check (cost_r > 0),
  cost_p          integer not null check (cost_p > 0),
  -- X25519: room keys of roster packages are wrapped to it.
  exchange_public blob    not null check (length(exchange_public) = 32),
  -- Ed25519: what staff do at a kiosk is signed with its private half.
  signing_public  blob    not null check (length(signing_public) = 32),
  set_at_us       integer not null check (set_at_us > 0)
) strict;
create index staff_pin_by_account on staff_pin (account_id, id);
create trigger staff_pin_never_changes before update on staff_pin
begin
  select raise(abort, 'a staff PIN is never updated');
end;
create trigger staff_pin_never_goes before delete on staff_pin
begin
  select raise(abort, 'a staff PIN is never deleted');
end;

-- The site lead let a person try again whose PIN was locked after too many wrong tries. Never updated, never deleted.
create table staff_pin_unlock (
  id             integer primary key,
  -- Whose PIN.
  account_id     integer not null references account (id),
  unlocked_by    integer not null references account (id),
  unlocked_at_us integer not null check (unlocked_at_us > 0)
) strict;
create trigger staff_pin_unlock_never_changes before update on staff_pin_unlock
begin
  select raise(abort, 'an unlocking is never updated');
end;
create trigger staff_pin_unlock_never_goes before delete on staff_pin_unlock
begin
  select raise(abort, 'an unlocking is never deleted');
end;

-- The secret of a kiosk's roster packages, under the site key; the latest one is in force. Without it a package is noise.
create table kiosk_secret (
  id            integer primary key,
  kiosk_id      integer not null references kiosk (id),
  secret_cipher blob    not null check (length(secret_cipher) > 16),
  made_at_us    integer not null check (made_at_us > 0)
) strict;
create index kiosk_secret_by_kiosk on kiosk_secret (kiosk_id, id);

-- What slow stretching (scrypt) made of a ticket or ID number, kept because it costs a twentieth of a second each.
create table stretched_number (
  -- Keyed digest of kind and number: finds the row without revealing the number.
  number_index blob primary key check (length(number_index) = 32),
  -- The stretched value under the site key.
  value_cipher blob not null check (length(value_cipher) > 16)
) strict, without rowid;

-- Every revision of a kiosk's roster package: a new row only when its content changed. Never updated, never deleted.
create table roster_revision (
  id         integer primary key,
  kiosk_id   integer not null references kiosk (id),
  -- Counted from 1 for each kiosk.
  revision   integer not null check (revision > 0),
  -- Keyed digest of the content: tells whether it changed, and nothing else.
  digest     blob    not null check (length(digest) = 32),
  -- How many candidates it holds.
  candidates integer not null check (candidates >= 0),
  made_at_us integer not null check (made_at_us > 0),
  unique (kiosk_id, revision)
) strict;
create trigger roster_revision_never_changes before update on roster_revision
begin
  select raise(abort, 'a revision is never updated');
end;
create trigger roster_revision_never_goes before delete on roster_revision
begin
  select raise(abort, 'a revision is never deleted');
end;

-- Counts every change of candidates and seats, so that nobody reads the whole roster to see that it stayed the same.
create table roster_counter (
  -- Always 1.
  id      integer primary key check (id = 1),
  changes integer not null
) strict;
insert into roster_counter (id, changes) values (1, 0);
create trigger candidate_added after insert on candidate
begin
  update roster_counter set changes = changes + 1;
end;
create trigger candidate_changed after update on candidate
begin
  update roster_counter set changes = changes + 1;
end;
create trigger candidate_removed after delete on candidate
begin
  update roster_counter set changes = changes + 1;
end;
create trigger seating_added after insert on seating
begin
  update roster_counter set changes = changes + 1;
end;
create trigger seating_changed after update on seating
begin
  update roster_counter set changes = changes + 1;
end;
create trigger seating_removed after delete on seating
begin
  update roster_counter set changes = changes + 1;
end;

-- What a kiosk found when it tested itself (每日自检). Never updated, never deleted.
create table kiosk_self_test (
  id             integer primary key,
  kiosk_id       integer not null references kiosk (id),
  -- Made by the kiosk before the first request; a repeat adds nothing.
  nonce          text    not null check (length(nonce) between 16 and 64),
  -- When it was done, by the kiosk's clock; when it arrived, by this machine's.
  tested_at_us   integer not null check (tested_at_us > 0),
  received_at_us integer not null check (received_at_us > 0),
  -- Codes of exam.self_test, such as "camera:good", a JSON array.
  results        text    not null check (json_valid(results)),
  -- What the kiosk said about each check, a JSON object.
  words          text    not null check (json_valid(words)),
  -- Salt of the digest by which the ledger commits to the words: without it nobody can guess the text.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  unique (kiosk_id, nonce)
) strict;
create trigger kiosk_self_test_never_changes before update on kiosk_self_test
begin
  select raise(abort, 'a self-test is never updated');
end;
create trigger kiosk_self_test_never_goes before delete on kiosk_self_test
begin
  select raise(abort, 'a self-test is never deleted');
end;

-- A signed ticket that was issued anew (补发准考证): tickets of lower revisions are void. Never updated, never deleted.
create table ticket_reissue (
  id             integer primary key,
  candidate_id   integer not null references candidate (id),
  -- From 2: everybody's first ticket is revision 1, whether printed or not.
  revision       integer not null check (revision > 1),
  reason         text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id     integer not null references account (id),
  reissued_at_us integer not null check (reissued_at_us > 0),
  unique (candidate_id, revision)
) strict;
create trigger ticket_reissue_never_changes before update on ticket_reissue
begin
  select raise(abort, 'a reissue is never updated');
end;
create trigger ticket_reissue_never_goes before delete on ticket_reissue
begin
  select raise(abort, 'a reissue is never deleted');
end;

-- A person compared the form of ticket numbers learned from a roster with a printed ticket (准考证格式确认). It holds
-- for this form of this batch: a roster that teaches another form asks again. Never updated, never deleted.
create table ticket_form_confirmation (
  id              integer primary key,
  batch_id        integer not null references batch (id),
  -- The form as it was learned, a regular expression.
  form            text    not null check (form <> ''),
  -- Whether the number of the printed ticket stood in the roster: always 1 so far, since nothing else is confirmed.
  sample_on_roster integer not null check (sample_on_roster = 1),
  account_id      integer not null references account (id),
  confirmed_at_us integer not null check (confirmed_at_us > 0)
) strict;
create trigger ticket_form_confirmation_never_changes before update on ticket_form_confirmation
begin
  select raise(abort, 'a confirmation is never updated');
end;
create trigger ticket_form_confirmation_never_goes before delete on ticket_form_confirmation
begin
  select raise(abort, 'a confirmation is never deleted');
end;

-- Finds what is on record about one candidate, at every check-in and for the day part of kiosks.
create index checkin_attempt_by_candidate on checkin_attempt (candidate_id, session_id);
