-- exam.db: the day as data. Written by the web service alone; everybody else reads.
-- Times are microseconds since 1970-01-01 UTC (`_us`). Words are those of docs/glossary.md.

-- The exam site (考点) this machine serves. Exactly one row.
create table site (
  -- Always 1: one machine serves one site.
  id            integer primary key check (id = 1),
  -- Names this site in evidence for ever, whatever it is renamed to.
  uuid          text    not null unique check (length(uuid) = 36),
  -- The assessment body's code for the site, as on its paperwork.
  code          text    not null check (code <> ''),
  -- 考点名称, shown on every page.
  name          text    not null check (name <> ''),
  -- Postal address for printed sheets; empty when not given.
  address       text    not null default '',
  created_at_us integer not null check (created_at_us > 0)
) strict;

-- One walled room (考室). Cameras, places and proctors belong to rooms.
create table room (
  id         integer primary key,
  -- Stable short name in files and addresses, such as 'R03'.
  code       text not null unique check (code glob '[A-Za-z0-9]*' and length(code) <= 16),
  -- What people call it: '第3考场'.
  label      text not null unique check (label <> ''),
  -- What the room is for (Art. 11).
  kind       text not null check (kind in ('theory', 'practical', 'viva_room', 'waiting_room', 'secure_room',
                                           'exam_office', 'contingency_hall', 'belongings_area', 'check_in')),
  -- How to find it from the kiosk: '二楼东侧'. Empty when obvious.
  directions text not null default ''
) strict;

-- A seat (座位, theory and review) or station (考核工位, practical) in a room.
create table place (
  id      integer primary key,
  room_id integer not null references room (id),
  kind    text    not null check (kind in ('seat', 'station')),
  -- Number on the door list and the desk: '12'.
  label   text    not null check (label <> ''),
  -- Position for the seat map, counted from the front left corner; 1-based.
  grid_row integer not null check (grid_row > 0),
  grid_col integer not null check (grid_col > 0),
  unique (room_id, label),
  unique (room_id, grid_row, grid_col)
) strict;

-- A room camera. Its uuid, never its number, ties footage to it.
create table camera (
  id              integer primary key,
  uuid            text    not null unique check (length(uuid) = 36),
  room_id         integer not null references room (id),
  -- What people call the view: '前方', '后方'.
  label           text    not null check (label <> ''),
  -- RTSP address of the main stream, without user name and password.
  address         text    not null check (address glob 'rtsp://*' and address not glob '*@*'),
  -- Login name at the camera; empty when the camera asks for none.
  username        text    not null default '',
  -- The camera's password under the site key (evidence.vault); null when the camera asks for none.
  password_cipher blob,
  -- Camera removed from service: kept for the footage that names it.
  retired_at_us   integer check (retired_at_us > 0),
  unique (room_id, label)
) strict;

-- A person working at the site.
create table staff (
  id       integer primary key,
  name     text not null check (name <> ''),
  -- Number on the badge (证卡号); how imports recognise the person.
  badge_no text not null unique check (badge_no <> '')
) strict;

-- An assessment round (批次): the unit that is closed and archived.
create table batch (
  id           integer primary key,
  code         text    not null unique check (code <> ''),
  name         text    not null check (name <> ''),
  -- 职业（工种）, such as '电工'.
  occupation   text    not null check (occupation <> ''),
  -- 等级, such as '三级/高级工'.
  level        text    not null,
  -- Ticket numbers that every imported ticket matched, learned at import (a regular expression); null before.
  ticket_form  text,
  -- Null while the batch is open; retention is counted from here (R2).
  closed_at_us integer check (closed_at_us > 0)
) strict;

-- One sitting (场次): one kind, one planned start, one or more rooms.
create table session (
  id               integer primary key,
  batch_id         integer not null references batch (id),
  -- Stable short name within the batch, such as 'T1'.
  code             text    not null check (code glob '[A-Za-z0-9]*'),
  kind             text    not null check (kind in ('theory', 'practical', 'review')),
  -- What is examined: '理论知识'.
  subject          text    not null check (subject <> ''),
  -- Name of the procedure file in config/procedures that governs it.
  procedure_code   text    not null check (procedure_code <> ''),
  planned_start_us integer not null check (planned_start_us > 0),
  -- Working time from the actual start signal to the stop signal.
  duration_us      integer not null check (duration_us > 0),
  -- When the site lead armed the automatic signals; null: no signal sounds by itself.
  armed_at_us      integer check (armed_at_us > 0),
  armed_by         integer references account (id),
  -- Session cancelled by the site lead; nothing sounds and nobody checks in.
  cancelled_at_us  integer check (cancelled_at_us > 0),
  unique (batch_id, code),
  check ((armed_at_us is null) = (armed_by is null))
) strict;

-- Which rooms sit the session.
create table session_room (
  session_id integer not null references session (id),
  room_id    integer not null references room (id),
  primary key (session_id, room_id)
) strict, without rowid;

-- Who works where in a session (Art. 10). A null room means the whole session.
create table duty (
  id         integer primary key,
  staff_id   integer not null references staff (id),
  session_id integer not null references session (id),
  room_id    integer references room (id),
  role       text    not null check (role in ('proctor', 'assessor', 'lead_assessor', 'review_chair', 'recorder',
                                              'exams_officer', 'site_lead', 'inspector', 'quality_supervisor')),
  unique (staff_id, session_id, room_id, role)
) strict;

-- A person who sits the assessment. Personal numbers are ciphertext; see evidence.vault.
create table candidate (
  id              integer primary key,
  batch_id        integer not null references batch (id),
  name            text    not null check (name <> ''),
  -- Which document proves identity; codes of exam.identity.DocumentType.
  document_type   text    not null check (document_type <> ''),
  -- The document number under the site key.
  id_number_cipher blob   not null check (length(id_number_cipher) > 16),
  -- Keyed digest of the normalised number: finds a candidate without revealing the number.
  id_number_index blob    not null check (length(id_number_index) = 32),
  -- Last four characters, for people: 证件尾号.
  id_number_tail  text    not null check (length(id_number_tail) <= 4),
  -- 准考证号: opaque, never re-issued (R20).
  ticket_no       text    not null check (ticket_no <> ''),
  -- 工作单位; empty when not given.
  employer        text    not null default '',
  -- Disqualified or barred: null means free to sit. The reason is for staff only.
  blocked_reason  text,
  unique (batch_id, ticket_no),
  unique (batch_id, id_number_index)
) strict;

-- Who sits where in which session (考场编排).
create table seating (
  id           integer primary key,
  session_id   integer not null references session (id),
  candidate_id integer not null references candidate (id),
  place_id     integer not null references place (id),
  unique (session_id, candidate_id),
  unique (session_id, place_id)
) strict;

-- Every roster file taken in, and what it changed.
create table roster_import (
  id             integer primary key,
  batch_id       integer not null references batch (id),
  -- Name of the file as given, without its folder.
  file_name      text    not null,
  -- Digest of the file's bytes: the same file twice is seen at once.
  sha256         blob    not null check (length(sha256) = 32),
  imported_at_us integer not null check (imported_at_us > 0),
  rows_read      integer not null check (rows_read >= 0),
  rows_added     integer not null check (rows_added >= 0),
  rows_changed   integer not null check (rows_changed >= 0),
  rows_removed   integer not null check (rows_removed >= 0)
) strict;

-- A check-in kiosk. It proves itself with a token of which only the digest is kept.
create table kiosk (
  id             integer primary key,
  uuid           text    not null unique check (length(uuid) = 36),
  label          text    not null unique check (label <> ''),
  -- The room whose door it stands at; null: serves the whole site.
  room_id        integer references room (id),
  token_sha256   blob    not null unique check (length(token_sha256) = 32),
  enrolled_at_us integer not null check (enrolled_at_us > 0),
  revoked_at_us  integer check (revoked_at_us > 0),
  -- Last request of any kind; null: never seen.
  last_seen_at_us integer check (last_seen_at_us > 0)
) strict;

-- Every scan that asked for admission, admitted or not. Never updated, never deleted (13(2), K9).
create table checkin_attempt (
  id             integer primary key,
  kiosk_id       integer not null references kiosk (id),
  -- Made by the kiosk before the first request; a repeat returns the stored answer.
  nonce          text    not null check (length(nonce) between 16 and 64),
  -- When the kiosk read the second document, by the kiosk's clock.
  scanned_at_us  integer not null check (scanned_at_us > 0),
  -- When the request arrived, by this machine's clock.
  received_at_us integer not null check (received_at_us > 0),
  -- Whom both documents name; null when they name nobody, or different people.
  candidate_id   integer references candidate (id),
  -- Whom the ticket alone and the ID number alone name, so that staff can look into a mismatch; null: nobody.
  ticket_candidate_id    integer references candidate (id),
  id_number_candidate_id integer references candidate (id),
  -- Null when no session could be chosen.
  session_id     integer references session (id),
  -- Stable code from exam.admission.Outcome.
  outcome        text    not null check (outcome <> ''),
  -- Every true reason, most actionable first, as a JSON array of outcome codes.
  reasons        text    not null check (json_valid(reasons)),
  -- The answer the kiosk got, as JSON, so that a repeat gets the same bytes. Holds no full number.
  answer         text    not null check (json_valid(answer)),
  -- Salt of the digest by which the ledger commits to the answer: without it nobody can guess the text.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  unique (kiosk_id, nonce)
) strict;
create index checkin_attempt_by_time on checkin_attempt (received_at_us);

-- The decision that a candidate is in. One per candidate and session, one per place.
create table admission (
  id             integer primary key,
  attempt_id     integer not null unique references checkin_attempt (id),
  session_id     integer not null references session (id),
  candidate_id   integer not null references candidate (id),
  place_id       integer not null references place (id),
  admitted_at_us integer not null check (admitted_at_us > 0),
  -- Undone by staff; the row stays. Null: stands.
  voided_at_us   integer check (voided_at_us > 0)
) strict;
create unique index admission_once_per_candidate on admission (session_id, candidate_id) where voided_at_us is null;
create unique index admission_once_per_place on admission (session_id, place_id) where voided_at_us is null;

-- A cue that was due in a room, and what became of it. T0 and TE of a room are the emitted times of
-- its start and stop signals (R9); every later rule hangs off them.
create table announcement (
  id            integer primary key,
  session_id    integer not null references session (id),
  room_id       integer not null references room (id),
  -- The cue's code in the session's procedure, such as 'C5'.
  cue_code      text    not null check (cue_code <> ''),
  -- 1 for the cue of the timetable; higher when a person or a room made good a missed one, or an
  -- on-demand cue (correction, evacuation) sounded again.
  occurrence    integer not null default 1 check (occurrence > 0),
  -- When the rule said it was due.
  planned_at_us integer not null check (planned_at_us > 0),
  -- emitted: it sounded or was shown; missed: its tolerance passed first and a person must act.
  outcome       text    not null check (outcome in ('emitted', 'missed')),
  -- When it was emitted: the server's moment, or the room's own report when the server was down. Null when missed.
  emitted_at_us integer check (emitted_at_us > 0),
  -- How it came about: by rule, by a person's press, or learned from a room that rang without the server.
  source        text    not null check (source in ('schedule', 'press', 'room_report')),
  -- Who pressed; null for the schedule.
  account_id    integer references account (id),
  -- When this row was written.
  recorded_at_us integer not null check (recorded_at_us > 0),
  unique (session_id, room_id, cue_code, occurrence),
  check ((outcome = 'emitted') = (emitted_at_us is not null))
) strict;

-- What a room's player says it really played. One row per announcement and player.
create table announcement_report (
  id            integer primary key,
  session_id    integer not null references session (id),
  room_id       integer not null references room (id),
  cue_code      text    not null check (cue_code <> ''),
  occurrence    integer not null default 1 check (occurrence > 0),
  -- The player's own name for itself, kept in the browser.
  player        text    not null check (length(player) between 8 and 64),
  -- First and last sample as played, in this machine's time (player's clock corrected by its measured offset).
  -- The end is null until the player has finished and said so; it is filled in once.
  started_at_us integer check (started_at_us > 0),
  ended_at_us   integer check (ended_at_us > 0),
  -- Player clock minus this machine's clock when it played, and half the best round trip.
  offset_us     integer not null,
  uncertainty_us integer not null check (uncertainty_us >= 0),
  -- Empty when it sounded; else why not, such as 'autoplay_refused'.
  error         text    not null default '',
  received_at_us integer not null check (received_at_us > 0),
  unique (session_id, room_id, cue_code, occurrence, player),
  check (error <> '' or started_at_us is not null)
) strict;

-- A step that the procedure asks a person to confirm (到岗, 已宣读, 密封确认 ...).
create table confirmation (
  id              integer primary key,
  session_id      integer not null references session (id),
  room_id         integer not null references room (id),
  cue_code        text    not null check (cue_code <> ''),
  confirmed_at_us integer not null check (confirmed_at_us > 0),
  account_id      integer not null references account (id),
  unique (session_id, room_id, cue_code)
) strict;

-- The running entries of the proctor log (监考日志). A mistake is corrected by a new entry that names the old one.
create table log_entry (
  id          integer primary key,
  -- Made by the tablet before sending: a repeated request adds nothing.
  nonce       text    not null unique check (length(nonce) between 16 and 64),
  session_id  integer not null references session (id),
  room_id     integer not null references room (id),
  -- When it happened, as the proctor says; usually the moment of the first touch.
  happened_at_us integer not null check (happened_at_us > 0),
  recorded_at_us integer not null check (recorded_at_us > 0),
  account_id  integer not null references account (id),
  -- Kind of entry, a code from config/log_entries.toml.
  kind        text    not null check (kind <> ''),
  text        text    not null default '',
  -- Salt of the digest by which the ledger commits to the text: without it nobody can guess the text.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  -- The candidate concerned; null when the entry concerns the room.
  candidate_id integer references candidate (id),
  -- The entry this one corrects; null for an original entry.
  corrects_id integer references log_entry (id)
) strict;
create index log_entry_by_time on log_entry (room_id, happened_at_us);

-- A person's way in. No account exists before the first-start link has been used.
create table account (
  id             integer primary key,
  -- The person on the staff list; null for somebody from outside, such as an auditor.
  staff_id       integer references staff (id),
  login_name     text    not null unique check (login_name <> ''),
  display_name   text    not null check (display_name <> ''),
  -- Argon2id, with its parameters.
  password_hash  text    not null check (password_hash glob '$argon2id$*'),
  created_at_us  integer not null check (created_at_us > 0),
  disabled_at_us integer check (disabled_at_us > 0)
) strict;

-- What an account may do; codes of web.access.Role.
create table account_role (
  account_id integer not null references account (id),
  role       text    not null check (role <> ''),
  primary key (account_id, role)
) strict, without rowid;

-- A login that is open. The browser holds the token, this table its digest.
create table login (
  id              integer primary key,
  token_sha256    blob    not null unique check (length(token_sha256) = 32),
  account_id      integer not null references account (id),
  opened_at_us    integer not null check (opened_at_us > 0),
  last_used_at_us integer not null check (last_used_at_us > 0),
  -- Logged out, timed out or revoked; null: open.
  closed_at_us    integer check (closed_at_us > 0)
) strict;

-- Every try to log in, good or bad: slows guessing down and is shown to the administrator.
create table login_attempt (
  id              integer primary key,
  -- Keyed digest of the login name as typed: people type passwords into the wrong field.
  name_index      blob    not null check (length(name_index) = 32),
  -- Null when the name is unknown.
  account_id      integer references account (id),
  attempted_at_us integer not null check (attempted_at_us > 0),
  -- opened: logged in; refused: wrong name or password; slowed: too soon after failures, password not looked at.
  outcome         text    not null check (outcome in ('opened', 'refused', 'slowed')),
  -- Network address of the browser.
  address         text    not null
) strict;
create index login_attempt_by_name on login_attempt (name_index, attempted_at_us);

-- One-time links: the first administrator's, and later password resets.
create table invitation (
  id            integer primary key,
  token_sha256  blob    not null unique check (length(token_sha256) = 32),
  purpose       text    not null check (purpose in ('first_administrator')),
  created_at_us integer not null check (created_at_us > 0),
  expires_at_us integer not null check (expires_at_us > 0),
  used_at_us    integer check (used_at_us > 0)
) strict;

-- Every time somebody looked at footage, and why (R18).
create table footage_access (
  id             integer primary key,
  account_id     integer not null references account (id),
  room_id        integer not null references room (id),
  -- The interval asked for.
  from_us        integer not null check (from_us > 0),
  until_us       integer not null check (until_us > from_us),
  reason         text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  accessed_at_us integer not null check (accessed_at_us > 0)
) strict;
