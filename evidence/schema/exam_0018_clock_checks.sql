-- Clocks before the exam (核准时间, 13(1), R8): what another clock showed, and the check of all clocks that somebody confirmed.

-- A person read a reference clock and pressed when it got there. Counts for some hours, and no longer than the console
-- tells the time as it did then: after a clock decision the reference is read again.
create table reference_reading (
  id         integer primary key,
  -- Which clock it was, in the person's words: '北斗授时钟', '电话报时12117'.
  reference  text    not null check (length(reference) between 1 and 40),
  -- Salt of the digest by which the ledger commits to those words: without it nobody can guess them.
  salt       blob    not null default (randomblob(16)) check (length(salt) = 16),
  -- The console's clock minus the reference.
  offset_us  integer not null,
  -- How wrong that may be: a hand presses no better.
  error_us   integer not null check (error_us >= 0),
  account_id integer not null references account (id),
  -- By the console's clock.
  read_at_us integer not null check (read_at_us > 0),
  -- Id of the last clock decision when this row was written; 0 before the first.
  clock_epoch integer not null default 0 check (clock_epoch >= 0)
) strict;
create trigger reference_reading_never_changes before update on reference_reading
begin
  select raise(abort, 'a reading of a reference clock is never updated');
end;
create trigger reference_reading_never_goes before delete on reference_reading
begin
  select raise(abort, 'a reading of a reference clock is never deleted');
end;

-- Somebody looked at every clock of the site and confirmed what was found, right or not (时钟核对).
create table clock_check (
  id            integer primary key,
  -- Every clock as it was found, its tolerance and verdict: canonical JSON (evidence.clock_checks).
  content       text    not null check (json_valid(content)),
  -- How many clocks were not right, or not measured.
  wrong_count   integer not null check (wrong_count >= 0),
  -- What is done about those; empty only when there are none.
  note          text    not null check (note <> '' or wrong_count = 0),
  -- Salt of the digest by which the ledger commits to the note: without it nobody can guess the text.
  salt          blob    not null default (randomblob(16)) check (length(salt) = 16),
  -- Who confirmed it.
  account_id    integer not null references account (id),
  -- By the console's clock.
  checked_at_us integer not null check (checked_at_us > 0),
  -- Id of the last clock decision when this row was written; 0 before the first.
  clock_epoch   integer not null default 0 check (clock_epoch >= 0)
) strict;
create index clock_check_by_time on clock_check (checked_at_us);
create trigger clock_check_never_changes before update on clock_check
begin
  select raise(abort, 'a clock check is never updated');
end;
create trigger clock_check_never_goes before delete on clock_check
begin
  select raise(abort, 'a clock check is never deleted');
end;
