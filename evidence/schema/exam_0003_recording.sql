-- What people decided about recording: modes, starting and stopping by hand, and sessions that changed rooms.
-- Never updated, never deleted: the latest row counts from its moment on (exam.recording_decision).

-- How it is decided when cameras record (录像方式), of the whole site or of one room.
create table recording_mode (
  id            integer primary key,
  -- The room; null: the whole site, for rooms without a mode of their own.
  room_id       integer references room (id),
  -- schedule (by the day plan), all_day, manual (by hand only); null for a room: as the site.
  mode          text    check (mode in ('schedule', 'all_day', 'manual')),
  -- Why, in the words of who decided it.
  reason        text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt          blob    not null default (randomblob(16)) check (length(salt) = 16),
  changed_by    integer not null references account (id),
  changed_at_us integer not null check (changed_at_us > 0),
  check (mode is not null or room_id is not null)
) strict;
create trigger recording_mode_never_changes before update on recording_mode
begin
  select raise(abort, 'a recording mode is never updated');
end;
create trigger recording_mode_never_goes before delete on recording_mode
begin
  select raise(abort, 'a recording mode is never deleted');
end;

-- Recording of a room started or stopped by hand (手动录像).
create table recording_order (
  id            integer primary key,
  room_id       integer not null references room (id),
  act           text    not null check (act in ('start', 'stop')),
  reason        text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt          blob    not null default (randomblob(16)) check (length(salt) = 16),
  ordered_by    integer not null references account (id),
  -- Who agreed, with an own password, because a session was on; null when none was.
  agreed_by     integer references account (id) check (agreed_by <> ordered_by),
  ordered_at_us integer not null check (ordered_at_us > 0)
) strict;
create index recording_order_by_room on recording_order (room_id, id);
create trigger recording_order_never_changes before update on recording_order
begin
  select raise(abort, 'a recording order is never updated');
end;
create trigger recording_order_never_goes before delete on recording_order
begin
  select raise(abort, 'a recording order is never deleted');
end;

-- A session that goes on in another room (应急考场, R21). Footage is owed in both for a while.
create table room_move (
  id             integer primary key,
  session_id     integer not null references session (id),
  from_room_id   integer not null references room (id),
  to_room_id     integer not null references room (id) check (to_room_id <> from_room_id),
  -- When people move, as the site lead says: before or after the row was written.
  moves_at_us    integer not null check (moves_at_us > 0),
  reason         text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt           blob    not null default (randomblob(16)) check (length(salt) = 16),
  decided_by     integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;
create index room_move_by_session on room_move (session_id);
create trigger room_move_never_changes before update on room_move
begin
  select raise(abort, 'a move is never updated');
end;
create trigger room_move_never_goes before delete on room_move
begin
  select raise(abort, 'a move is never deleted');
end;
