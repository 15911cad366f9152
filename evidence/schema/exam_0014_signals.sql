-- Signals in depth: arming and changes of the plan, delays and time given back, hand bells, the console's own clock.
-- Never updated, never deleted: taking something back is a row of its own. Facts that were recorded before the site
-- lead took over another clock are read shifted (console_clock_decision); `clock_epoch` says since when a row stands.

-- The announcements again, as in the first step, with one more source and the clock they were recorded by.
create table announcement_0014 (
  id            integer primary key,
  session_id    integer not null references session (id),
  -- The room of the session as planned: after a move it is sounded where the people are (room_move).
  room_id       integer not null references room (id),
  -- The cue's code in the session's procedure, such as 'C5'.
  cue_code      text    not null check (cue_code <> ''),
  -- 1 for the cue of the timetable; higher when a missed one was made good, a corrected one came again, a person
  -- recorded the real time, or an on-demand cue (correction, evacuation) sounded again.
  occurrence    integer not null default 1 check (occurrence > 0),
  -- When the rule said it was due.
  planned_at_us integer not null check (planned_at_us > 0),
  -- emitted: it sounded or was shown; missed: its tolerance passed first and a person must act.
  outcome       text    not null check (outcome in ('emitted', 'missed')),
  -- When it was emitted: the server's moment, the room's own report when the server was down, or what a person
  -- recorded of a hand bell. Null when missed.
  emitted_at_us integer check (emitted_at_us > 0),
  -- How it came about: by rule, by a person's press, learned from a room that rang without the server, or given by hand.
  source        text    not null check (source in ('schedule', 'press', 'room_report', 'by_hand')),
  -- Who pressed or recorded; null for the schedule.
  account_id    integer references account (id),
  -- When this row was written.
  recorded_at_us integer not null check (recorded_at_us > 0),
  -- Id of the last clock decision when this row was written; 0 before the first.
  clock_epoch   integer not null default 0 check (clock_epoch >= 0),
  unique (session_id, room_id, cue_code, occurrence),
  check ((outcome = 'emitted') = (emitted_at_us is not null)),
  check (source <> 'by_hand' or account_id is not null)
) strict;
insert into announcement_0014 (id, session_id, room_id, cue_code, occurrence, planned_at_us, outcome, emitted_at_us,
                               source, account_id, recorded_at_us)
  select id, session_id, room_id, cue_code, occurrence, planned_at_us, outcome, emitted_at_us, source, account_id,
         recorded_at_us from announcement;
drop table announcement;
alter table announcement_0014 rename to announcement;
create trigger announcement_never_changes before update on announcement
begin
  select raise(abort, 'an announcement is never updated');
end;
create trigger announcement_never_goes before delete on announcement
begin
  select raise(abort, 'an announcement is never deleted');
end;

-- Id of the last clock decision when the row was written.
alter table confirmation add column clock_epoch integer not null default 0 check (clock_epoch >= 0);
alter table room_move add column clock_epoch integer not null default 0 check (clock_epoch >= 0);

-- Arming (启用自动信号): asked for, done, taken back. session.armed_at_us is what the latest rows come to.
create table session_arming (
  id         integer primary key,
  session_id integer not null references session (id),
  -- asked: one person has checked the plan and waits for a second; armed: signals sound by themselves from here on;
  -- disarmed: not any more.
  act        text    not null check (act in ('asked', 'armed', 'disarmed')),
  -- Digest of the plan as it was shown: every cue of every room with its moment. Empty when disarmed.
  plan_sha256 text   not null check (act = 'disarmed' or length(plan_sha256) in (0, 64)),
  -- Why it was disarmed; empty otherwise.
  reason     text    not null default '',
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt       blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id integer not null references account (id),
  acted_at_us integer not null check (acted_at_us > 0)
) strict;
create index session_arming_by_session on session_arming (session_id, id);
create trigger session_arming_never_changes before update on session_arming
begin
  select raise(abort, 'an arming is never updated');
end;
create trigger session_arming_never_goes before delete on session_arming
begin
  select raise(abort, 'an arming is never deleted');
end;

-- The plan of a session changed by the site lead: another start, another working time, cancelled.
-- session.planned_start_us, duration_us and cancelled_at_us are what the latest rows come to.
create table plan_change (
  id         integer primary key,
  session_id integer not null references session (id),
  kind       text    not null check (kind in ('start', 'duration', 'cancelled')),
  -- The moment or length before and after; null when cancelled.
  from_us    integer check (from_us > 0),
  to_us      integer check (to_us > 0),
  -- Why, in the words of who decided it.
  reason     text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt       blob    not null default (randomblob(16)) check (length(salt) = 16),
  -- Codes of rooms whose player could not be told, so that a person was sent: 'R01 R02'; usually empty.
  told_by_hand text  not null default '',
  decided_by integer not null references account (id),
  changed_at_us integer not null check (changed_at_us > 0),
  check ((kind = 'cancelled') = (to_us is null)),
  check ((from_us is null) = (to_us is null))
) strict;
create index plan_change_by_session on plan_change (session_id, id);
create trigger plan_change_never_changes before update on plan_change
begin
  select raise(abort, 'a change of the plan is never updated');
end;
create trigger plan_change_never_goes before delete on plan_change
begin
  select raise(abort, 'a change of the plan is never deleted');
end;

-- A station or room could not work (延误登记, 14(4), R13). What it gives back is computed (exam.delays).
create table delay (
  id         integer primary key,
  session_id integer not null references session (id),
  room_id    integer not null references room (id),
  -- The station; null: the whole room.
  place_id   integer references place (id),
  -- equipment and venue are given back; other (illness, own fault) is only recorded.
  reason_class text  not null check (reason_class in ('equipment', 'venue', 'other')),
  -- When the work stopped, as the assessor says.
  started_at_us integer not null check (started_at_us > 0),
  -- Who saw it too (见证人), and what happened; free text.
  witness    text    not null check (witness <> ''),
  comment    text    not null default '',
  -- Salt of the digests by which the ledger commits to both texts: without it nobody can guess them.
  salt       blob    not null default (randomblob(16)) check (length(salt) = 16),
  -- The assessor who recorded it.
  account_id integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0),
  -- Id of the last clock decision when this row was written; 0 before the first.
  clock_epoch integer not null default 0 check (clock_epoch >= 0)
) strict;
create index delay_by_session on delay (session_id, room_id);
create trigger delay_never_changes before update on delay
begin
  select raise(abort, 'a delay is never updated');
end;
create trigger delay_never_goes before delete on delay
begin
  select raise(abort, 'a delay is never deleted');
end;

-- The delay is over: the work goes on.
create table delay_end (
  delay_id   integer primary key references delay (id),
  stopped_at_us integer not null check (stopped_at_us > 0),
  account_id integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0),
  -- Id of the last clock decision when this row was written; 0 before the first.
  clock_epoch integer not null default 0 check (clock_epoch >= 0)
) strict;
create trigger delay_end_never_changes before update on delay_end
begin
  select raise(abort, 'the end of a delay is never updated');
end;
create trigger delay_end_never_goes before delete on delay_end
begin
  select raise(abort, 'the end of a delay is never deleted');
end;

-- A delay that was recorded by mistake: the row stays and no longer counts.
create table delay_withdrawal (
  delay_id   integer primary key references delay (id),
  reason     text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt       blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id integer not null references account (id),
  withdrawn_at_us integer not null check (withdrawn_at_us > 0)
) strict;
create trigger delay_withdrawal_never_changes before update on delay_withdrawal
begin
  select raise(abort, 'a withdrawal is never updated');
end;
create trigger delay_withdrawal_never_goes before delete on delay_withdrawal
begin
  select raise(abort, 'a withdrawal is never deleted');
end;

-- Delays of more than half an hour count as far as the lead assessor or the site lead agrees.
create table delay_approval (
  id         integer primary key,
  session_id integer not null references session (id),
  room_id    integer not null references room (id),
  -- The station; null: the whole room.
  place_id   integer references place (id),
  -- All delays together count up to this much.
  up_to_us   integer not null check (up_to_us > 0),
  account_id integer not null references account (id),
  approved_at_us integer not null check (approved_at_us > 0)
) strict;
create index delay_approval_by_session on delay_approval (session_id, room_id);
create trigger delay_approval_never_changes before update on delay_approval
begin
  select raise(abort, 'an approval is never updated');
end;
create trigger delay_approval_never_goes before delete on delay_approval
begin
  select raise(abort, 'an approval is never deleted');
end;

-- Time given back to a room by the site lead (顺延), or the decision to give none back.
create table time_grant (
  id         integer primary key,
  session_id integer not null references session (id),
  room_id    integer not null references room (id),
  -- How much the room's end moves; 0: declined.
  granted_us integer not null check (granted_us >= 0),
  -- The signal that ended the loss (correction or resumption) it is about; null for an extension of its own.
  loss_cue_code text check (loss_cue_code <> ''),
  loss_occurrence integer check (loss_occurrence > 0),
  -- How much was lost, as computed when it was decided; null for an extension of its own.
  lost_us    integer check (lost_us > 0),
  reason     text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt       blob    not null default (randomblob(16)) check (length(salt) = 16),
  decided_by integer not null references account (id),
  -- Who agreed, with an own password, where a whole theory room is extended; null where nobody must.
  agreed_by  integer references account (id) check (agreed_by <> decided_by),
  -- Codes of rooms whose player could not be told, so that a person was sent.
  told_by_hand text  not null default '',
  decided_at_us integer not null check (decided_at_us > 0),
  check ((loss_cue_code is null) = (loss_occurrence is null)),
  check ((loss_cue_code is null) = (lost_us is null)),
  check (loss_cue_code is not null or granted_us > 0)
) strict;
create index time_grant_by_session on time_grant (session_id, room_id);
create trigger time_grant_never_changes before update on time_grant
begin
  select raise(abort, 'a grant is never updated');
end;
create trigger time_grant_never_goes before delete on time_grant
begin
  select raise(abort, 'a grant is never deleted');
end;

-- A grant that was given by mistake: the row stays and no longer counts.
create table time_grant_withdrawal (
  grant_id   integer primary key references time_grant (id),
  reason     text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt       blob    not null default (randomblob(16)) check (length(salt) = 16),
  account_id integer not null references account (id),
  withdrawn_at_us integer not null check (withdrawn_at_us > 0)
) strict;
create trigger time_grant_withdrawal_never_changes before update on time_grant_withdrawal
begin
  select raise(abort, 'a withdrawal is never updated');
end;
create trigger time_grant_withdrawal_never_goes before delete on time_grant_withdrawal
begin
  select raise(abort, 'a withdrawal is never deleted');
end;

-- The assessor ended the work of an extended station (14(5)); the room's own stop is an announcement.
create table station_stop (
  id         integer primary key,
  session_id integer not null references session (id),
  room_id    integer not null references room (id),
  place_id   integer not null references place (id),
  stopped_at_us integer not null check (stopped_at_us > 0),
  account_id integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0),
  -- Id of the last clock decision when this row was written; 0 before the first.
  clock_epoch integer not null default 0 check (clock_epoch >= 0),
  unique (session_id, room_id, place_id)
) strict;
create trigger station_stop_never_changes before update on station_stop
begin
  select raise(abort, 'the stop of a station is never updated');
end;
create trigger station_stop_never_goes before delete on station_stop
begin
  select raise(abort, 'the stop of a station is never deleted');
end;

-- One entry of a step's checklist (核准时间, 明确职责 ...); the step is confirmed once all are ticked.
create table checklist_tick (
  id         integer primary key,
  session_id integer not null references session (id),
  room_id    integer not null references room (id),
  cue_code   text    not null check (cue_code <> ''),
  -- The entry's code in the procedure.
  entry      text    not null check (entry <> ''),
  account_id integer not null references account (id),
  ticked_at_us integer not null check (ticked_at_us > 0),
  unique (session_id, room_id, cue_code, entry)
) strict;
create trigger checklist_tick_never_changes before update on checklist_tick
begin
  select raise(abort, 'a tick is never updated');
end;
create trigger checklist_tick_never_goes before delete on checklist_tick
begin
  select raise(abort, 'a tick is never deleted');
end;

-- By what the console tells the time: the machine's running time plus this. Exactly one row, kept up to date.
create table console_clock (
  -- Always 1: one console, one clock.
  id         integer primary key check (id = 1),
  -- The boot of the machine the running time counts from.
  boot_id    text    not null check (boot_id <> ''),
  -- Wall time minus the time since boot, sleep included.
  offset_us  integer not null,
  -- How far the machine's clock was ahead of the console's when last looked at.
  apart_us   integer not null default 0,
  -- The console's time when this row was written last: no later start may be before it.
  kept_at_us integer not null check (kept_at_us > 0)
) strict;

-- Somebody set the machine's clock while the console ran (or NTP did).
create table console_clock_step (
  id         integer primary key,
  boot_id    text    not null check (boot_id <> ''),
  -- The machine's clock minus the console's, which went on by elapsed time.
  apart_us   integer not null check (apart_us <> 0),
  -- When it was noticed, by the console's clock.
  noticed_at_us integer not null check (noticed_at_us > 0)
) strict;
create trigger console_clock_step_never_changes before update on console_clock_step
begin
  select raise(abort, 'a clock step is never updated');
end;
create trigger console_clock_step_never_goes before delete on console_clock_step
begin
  select raise(abort, 'a clock step is never deleted');
end;

-- What became of a step: the console took the machine's time over, follows it slowly (up to a second), went on by its
-- own, or both agree again.
create table console_clock_decision (
  id         integer primary key,
  step_id    integer not null references console_clock_step (id),
  choice     text    not null check (choice in ('adopted', 'followed', 'kept', 'agrees_again')),
  -- By how much every moment recorded before is read shifted: what an adopted step adds to the console's clock, or
  -- a small one ahead will have added.
  shift_us   integer not null check (case choice when 'adopted' then shift_us <> 0
                                                 when 'followed' then shift_us >= 0
                                                 else shift_us = 0 end),
  -- The site lead; null: by rule, because no session was on or the clocks agree.
  decided_by integer references account (id) check (decided_by is null or choice in ('adopted', 'kept')),
  -- By the console's clock before the decision.
  decided_at_us integer not null check (decided_at_us > 0)
) strict;
create trigger console_clock_decision_never_changes before update on console_clock_decision
begin
  select raise(abort, 'a clock decision is never updated');
end;
create trigger console_clock_decision_never_goes before delete on console_clock_decision
begin
  select raise(abort, 'a clock decision is never deleted');
end;
