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
  -- The kiosk's clock minus this machine's, and since when it is off by more than is good; null: it is not.
  offset_us       integer not null,
  offset_since_us integer check (offset_since_us > 0),
  -- Records that wait at the kiosk to be sent, and those that a person must look at.
  queue_length    integer not null check (queue_length >= 0),
  needs_human     integer not null check (needs_human >= 0),
  -- Revision of the roster package it holds; null: none. And since when it is not the present one; null: it is.
  roster_revision integer check (roster_revision > 0),
  behind_since_us integer check (behind_since_us > 0),
  -- Room on the disk that holds its records.
  disk_free_bytes integer not null check (disk_free_bytes >= 0),
  -- State of its camera, scanner and so on: a JSON object, part to code of exam.kiosk_health.PartState.
  parts           text    not null check (json_valid(parts)),
  -- Versions of what runs there: a JSON object of short texts.
  versions        text    not null check (json_valid(versions)),
  -- Whether it takes nobody, for whatever reason: 0 or 1.
  is_out_of_service integer not null check (is_out_of_service in (0, 1)),
  -- The boot id of its kernel: tells a restarted machine from a silent one.
  boot_id         text    not null
) strict;
