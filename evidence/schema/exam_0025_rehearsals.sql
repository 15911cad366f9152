-- A rehearsal of an exam day's signals with the real players (rule A-8). Never updated, never deleted.
create table rehearsal (
  id            integer primary key,
  -- The exam day that was rehearsed, at the site: '2026-11-22'.
  exam_day      text    not null check (exam_day glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  -- Every signal of every room and what became of it: canonical JSON (evidence.rehearsals).
  content       text    not null check (json_valid(content)),
  -- Signals that had their turn, and those of them that no player sounded or the console did not give.
  signal_count  integer not null check (signal_count >= 0),
  failed_count  integer not null check (failed_count between 0 and signal_count),
  -- Signals that had no turn: the rehearsal was ended before.
  open_count    integer not null check (open_count >= 0),
  -- Who ran it, with an own password.
  account_id    integer not null references account (id),
  -- By the machine's clock, when it began and was over.
  began_at_us   integer not null check (began_at_us > 0),
  ended_at_us   integer not null check (ended_at_us >= began_at_us)
) strict;
create index rehearsal_by_day on rehearsal (exam_day, id);
create trigger rehearsal_never_changes before update on rehearsal
begin
  select raise(abort, 'a rehearsal is never updated');
end;
create trigger rehearsal_never_goes before delete on rehearsal
begin
  select raise(abort, 'a rehearsal is never deleted');
end;
