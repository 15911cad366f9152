-- Check-in in full (签到): how each attempt came about, what people did about it, doubts, alarms and pictures.
-- Everything here is only ever added to; who decides what stands in docs/design/check-in.md.

-- How an attempt came about. One row for every attempt since this script; earlier ones have none.
create table checkin_circumstance (
  attempt_id      integer primary key references checkin_attempt (id),
  -- Who decided what the candidate was told: this server, the kiosk alone, or people by an act.
  decided_by      text    not null check (decided_by in ('server', 'kiosk', 'people')),
  -- Where it was made: a candidate at a kiosk, staff at a kiosk, a tablet, the console.
  lane            text    not null check (lane in ('kiosk', 'staff_at_kiosk', 'tablet', 'console')),
  -- One run of the kiosk's agent, and the place of this attempt among all that run made; null: an older kiosk.
  boot_id         text    check (length(boot_id) between 8 and 64),
  sequence        integer check (sequence >= 0),
  -- The kiosk's clock minus this machine's, and how wrong that may be; null: not measured.
  clock_offset_us integer,
  clock_uncertainty_us integer check (clock_uncertainty_us >= 0),
  -- When it happened by this machine's clock: the kiosk's moment less its offset, or the moment of arrival.
  corrected_at_us integer not null check (corrected_at_us > 0),
  -- Revision of the roster package by which the kiosk decided; null: the server's own tables.
  roster_revision integer check (roster_revision > 0),
  -- Version of rule and policy by which it was judged.
  rules_version   text    not null check (rules_version <> ''),
  -- How often this person had failed at this kiosk just before.
  tries           integer not null default 0 check (tries >= 0),
  -- What the kiosk saw or somebody declared there, a JSON array of outcome codes.
  declared        text    not null default '[]' check (json_valid(declared)),
  -- What was proved about the ticket itself: exam.admission_facts.TicketProof.
  ticket_proof    text    not null default 'plain' check (ticket_proof in ('plain', 'signed', 'failed')),
  -- What an ID reader said: a code of exam.identity.DocumentType, and the last valid day (YYYY-MM-DD); null: nothing.
  read_document_type text,
  read_valid_until   text,
  -- The name an ID reader gave, kept only where it is not the roster's; else empty.
  read_name       text    not null default '',
  -- What the candidate gave: SHA-256 of photo and signature in hex, number of the bag, version of the notice. Null: nothing.
  photo_sha256    text    check (length(photo_sha256) = 64),
  signature_sha256 text   check (length(signature_sha256) = 64),
  bag_no          text    check (bag_no <> ''),
  notice_version  text    check (notice_version <> ''),
  -- What the kiosk told the candidate where it decided alone: an outcome code; null: the answer on record.
  shown_outcome   text    check (shown_outcome <> ''),
  -- Uploaded after the session was over.
  is_late         integer not null default 0 check (is_late in (0, 1)),
  check ((boot_id is null) = (sequence is null)),
  check ((decided_by = 'kiosk') = (shown_outcome is not null))
) strict;
create index checkin_circumstance_by_boot on checkin_circumstance (boot_id, sequence);
create trigger checkin_circumstance_never_changes before update on checkin_circumstance
begin
  select raise(abort, 'how an attempt came about is never updated');
end;
create trigger checkin_circumstance_never_goes before delete on checkin_circumstance
begin
  select raise(abort, 'how an attempt came about is never deleted');
end;

-- What a kiosk told the candidate although the answer on record was given: its line broke, and it decided alone.
create table shown_answer (
  id             integer primary key,
  attempt_id     integer not null unique references checkin_attempt (id),
  -- What was told: an outcome code.
  outcome        text    not null check (outcome <> ''),
  -- When this machine heard of it.
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;
create trigger shown_answer_never_changes before update on shown_answer
begin
  select raise(abort, 'what was shown is never updated');
end;
create trigger shown_answer_never_goes before delete on shown_answer
begin
  select raise(abort, 'what was shown is never deleted');
end;

-- What a person did about check-in (人工处理): undo, exit, late entry, provisional entry, walk-in, seat, redirect ...
create table check_in_act (
  id             integer primary key,
  -- Made before sending: a repeated request gets the stored answer.
  nonce          text    not null unique check (length(nonce) between 16 and 64),
  -- Which act: a code of exam.admission_authority.Act.
  act            text    not null check (act <> ''),
  -- Where it was made: at a kiosk, a tablet or the console; and which kiosk, null otherwise.
  lane           text    not null check (lane in ('staff_at_kiosk', 'tablet', 'console')),
  kiosk_id       integer references kiosk (id),
  -- Whom and which session it concerns; null where it concerns nobody known.
  session_id     integer references session (id),
  candidate_id   integer references candidate (id),
  -- The attempt that it undoes or answers; null when there is none, or it has not arrived yet.
  subject_attempt_id integer references checkin_attempt (id),
  -- The kiosk's nonce of that attempt, so that an undo finds it also when it arrives later; empty: none.
  subject_nonce  text    not null default '',
  -- The attempt on record that this act made (it admits or lets go); null: none.
  attempt_id     integer unique references checkin_attempt (id),
  -- The new place and the place before, of a seat that changed; null otherwise.
  place_id       integer references place (id),
  from_place_id  integer references place (id),
  -- Where somebody was sent; null otherwise.
  room_id        integer references room (id),
  -- Number of the approval for a walk-in; empty otherwise.
  approval_no    text    not null default '',
  -- Why, in the words of who did it; empty only where that is what it lacks.
  reason         text    not null,
  -- Salt of the digests by which the ledger commits to the texts: without it nobody can guess them.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  -- Who did it (null: the signature proved nobody, see lacks), and the second person who signed (null: none did).
  account_id     integer references account (id),
  second_account_id integer references account (id) check (second_account_id <> account_id),
  -- What was signed at a kiosk, a JSON object of ids and codes, and the signatures, a JSON array; empty elsewhere.
  subject        text    not null default '{}' check (json_valid(subject)),
  signatures     text    not null default '[]' check (json_valid(signatures)),
  -- Empty when everything the act needs was there; else what was missing when an offline act arrived
  -- (a code of exam.admission_authority.Refusal): somebody is inside, and people must look.
  lacks          text    not null default '',
  -- When it was done, by this machine's clock as far as known, and when it arrived.
  happened_at_us integer not null check (happened_at_us > 0),
  recorded_at_us integer not null check (recorded_at_us > 0),
  -- The answer that was given, as JSON, so that a repeat gets the same bytes.
  answer         text    not null check (json_valid(answer)),
  check ((lane = 'staff_at_kiosk') = (kiosk_id is not null)),
  check (account_id is not null or lacks <> ''),
  check (reason <> '' or lacks <> '')
) strict;
create index check_in_act_by_candidate on check_in_act (candidate_id, session_id);
create index check_in_act_by_subject on check_in_act (subject_nonce) where subject_nonce <> '';
create trigger check_in_act_never_changes before update on check_in_act
begin
  select raise(abort, 'an act is never updated');
end;
create trigger check_in_act_never_goes before delete on check_in_act
begin
  select raise(abort, 'an act is never deleted');
end;

-- Why an admission no longer stands. admission.voided_at_us says the same moment.
create table admission_voiding (
  id           integer primary key,
  admission_id integer not null unique references admission (id),
  -- undo: staff took it back; conflict: an earlier or equally early entry was uploaded; seat_change: he was let in again
  -- to another place; withdrawn: the site lead took the entry back.
  cause        text    not null check (cause in ('undo', 'conflict', 'seat_change', 'withdrawn')),
  -- The attempt whose upload did it (conflict), or that replaces it (seat_change); null otherwise.
  attempt_id   integer references checkin_attempt (id),
  voided_at_us integer not null check (voided_at_us > 0)
) strict;
create trigger admission_voiding_never_changes before update on admission_voiding
begin
  select raise(abort, 'a voiding is never updated');
end;
create trigger admission_voiding_never_goes before delete on admission_voiding
begin
  select raise(abort, 'a voiding is never deleted');
end;

-- A ticket number that counts no more (准考证作废): withdrawn by people, or replaced by a later roster (R20).
create table ticket_voiding (
  id           integer primary key,
  candidate_id integer not null references candidate (id),
  ticket_no    text    not null check (ticket_no <> ''),
  -- Why; who decided, null: a roster import brought another number.
  reason       text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to number and reason.
  salt         blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id   integer references account (id),
  voided_at_us integer not null check (voided_at_us > 0)
) strict;
create index ticket_voiding_by_number on ticket_voiding (ticket_no);
create trigger ticket_voiding_never_changes before update on ticket_voiding
begin
  select raise(abort, 'a voided ticket is never updated');
end;
create trigger ticket_voiding_never_goes before delete on ticket_voiding
begin
  select raise(abort, 'a voided ticket is never deleted');
end;

-- A doubt about who somebody is (存疑): opened by doubts, three failures or a provisional entry; closed by people (13(2)).
create table doubt_case (
  id            integer primary key,
  -- Whom it concerns, in which session and room; null where nobody could be named.
  candidate_id  integer references candidate (id),
  session_id    integer references session (id),
  room_id       integer references room (id),
  -- What it began with; null: seen by a person at the seat (13(3)).
  attempt_id    integer references checkin_attempt (id),
  -- The doubt, a code of exam.outcomes.Outcome.
  reason        text    not null check (reason <> ''),
  -- Whether staff hold documents of his: 0 or 1; null: not said.
  documents_held integer check (documents_held in (0, 1)),
  -- SHA-256 in hex of pictures that belong to it, a JSON array.
  photos        text    not null default '[]' check (json_valid(photos)),
  -- By when the proof is owed (R7); null: no moment was set.
  deadline_at_us integer check (deadline_at_us > 0),
  -- Who opened it; null: the rule did.
  opened_by     integer references account (id),
  opened_at_us  integer not null check (opened_at_us > 0)
) strict;
create index doubt_case_by_candidate on doubt_case (candidate_id, session_id);
create trigger doubt_case_never_changes before update on doubt_case
begin
  select raise(abort, 'a doubt is never updated');
end;
create trigger doubt_case_never_goes before delete on doubt_case
begin
  select raise(abort, 'a doubt is never deleted');
end;

-- What people did about a doubt.
create table doubt_case_step (
  id             integer primary key,
  case_id        integer not null references doubt_case (id),
  -- looked: a person compared at the seat; decided: the site lead closed it; reopened: opened again with a reason.
  step           text    not null check (step in ('looked', 'decided', 'reopened')),
  -- Of a look: same, different, unsure. Of a decision: confirmed, not_confirmed, withdrawn. Of a reopening: empty.
  finding        text    not null check (finding in ('', 'same', 'different', 'unsure',
                                                     'confirmed', 'not_confirmed', 'withdrawn')),
  -- Why, in the words of who signs; empty for a look that found the same person.
  reason         text    not null default '',
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id     integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;
create index doubt_case_step_by_case on doubt_case_step (case_id, id);
create trigger doubt_case_step_never_changes before update on doubt_case_step
begin
  select raise(abort, 'a step of a doubt is never updated');
end;
create trigger doubt_case_step_never_goes before delete on doubt_case_step
begin
  select raise(abort, 'a step of a doubt is never deleted');
end;

-- Something about check-in that a person must see (签到告警): it stands on the console until somebody says so.
create table check_in_alarm (
  id           integer primary key,
  -- What it is: a code of exam.upload_rules.AlarmKind.
  kind         text    not null check (kind <> ''),
  -- What it came from: an attempt or an act; both null: a kiosk as such.
  attempt_id   integer references checkin_attempt (id),
  act_id       integer references check_in_act (id),
  kiosk_id     integer references kiosk (id),
  -- Whom and where it concerns; null where nobody or no room is known.
  candidate_id integer references candidate (id),
  session_id   integer references session (id),
  room_id      integer references room (id),
  raised_at_us integer not null check (raised_at_us > 0)
) strict;
create index check_in_alarm_by_attempt on check_in_alarm (attempt_id);
create trigger check_in_alarm_never_changes before update on check_in_alarm
begin
  select raise(abort, 'an alarm is never updated');
end;
create trigger check_in_alarm_never_goes before delete on check_in_alarm
begin
  select raise(abort, 'an alarm is never deleted');
end;

-- Somebody has seen an alarm and says what was done about it. The first one counts.
create table check_in_alarm_acknowledgement (
  id              integer primary key,
  alarm_id        integer not null unique references check_in_alarm (id),
  note            text    not null default '',
  -- Salt of the digest by which the ledger commits to the note: without it nobody can guess the text.
  salt            blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id      integer not null references account (id),
  acknowledged_at_us integer not null check (acknowledged_at_us > 0)
) strict;
create trigger check_in_alarm_acknowledgement_never_changes before update on check_in_alarm_acknowledgement
begin
  select raise(abort, 'an acknowledgement is never updated');
end;
create trigger check_in_alarm_acknowledgement_never_goes before delete on check_in_alarm_acknowledgement
begin
  select raise(abort, 'an acknowledgement is never deleted');
end;

-- A photo or signature taken at check-in. The bytes lie encrypted in a file below check_in/, named by `cipher_sha256`.
create table check_in_picture (
  id            integer primary key,
  kind          text    not null check (kind in ('photo', 'signature')),
  -- Digest of the bytes as they were taken; attempts name it.
  sha256        blob    not null unique check (length(sha256) = 32),
  media_type    text    not null check (media_type in ('image/jpeg', 'image/png', 'application/json')),
  size_bytes    integer not null check (size_bytes > 0),
  -- Digest of the encrypted bytes: the name of the file.
  cipher_sha256 blob    not null unique check (length(cipher_sha256) = 32),
  -- The kiosk that sent it; null: a tablet or the console did.
  kiosk_id      integer references kiosk (id),
  received_at_us integer not null check (received_at_us > 0)
) strict;
create trigger check_in_picture_never_changes before update on check_in_picture
begin
  select raise(abort, 'a picture is never updated');
end;
create trigger check_in_picture_never_goes before delete on check_in_picture
begin
  select raise(abort, 'a picture is never deleted');
end;
