-- Ready before the exam day (考前核对单, Arts. 11-13): what a person found of the printer, and the sheet that somebody signed.
-- Never updated, never deleted.

-- Somebody printed the test page and looked at it. The latest word counts, for some days.
create table printer_check (
  id            integer primary key,
  -- printed: it came out and can be read; not_printed: it did not, or cannot.
  outcome       text    not null check (outcome in ('printed', 'not_printed')),
  -- Who stood at the printer.
  account_id    integer not null references account (id),
  -- By the console's clock.
  checked_at_us integer not null check (checked_at_us > 0)
) strict;
create trigger printer_check_never_changes before update on printer_check
begin
  select raise(abort, 'a check of the printer is never updated');
end;
create trigger printer_check_never_goes before delete on printer_check
begin
  select raise(abort, 'a check of the printer is never deleted');
end;

-- Somebody looked at everything the exam day needs and signed what was found, ready or not.
create table readiness_sheet (
  id            integer primary key,
  -- The exam day it speaks of, at the site: '2026-11-22'.
  exam_day      text    not null check (exam_day glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
  -- Every line as it was found, in words: canonical JSON (evidence.readiness).
  content       text    not null check (json_valid(content)),
  -- How many lines were open: somebody has to do something before the exam.
  open_count    integer not null check (open_count >= 0),
  -- What is done about those; empty only when there are none.
  note          text    not null check (note <> '' or open_count = 0),
  -- Salt of the digest by which the ledger commits to the note: without it nobody can guess the text.
  salt          blob    not null default (randomblob(16)) check (length(salt) = 16),
  -- Who signed it.
  account_id    integer not null references account (id),
  -- By the console's clock.
  signed_at_us  integer not null check (signed_at_us > 0)
) strict;
create index readiness_sheet_by_day on readiness_sheet (exam_day, id);
create trigger readiness_sheet_never_changes before update on readiness_sheet
begin
  select raise(abort, 'a sheet that was signed is never updated');
end;
create trigger readiness_sheet_never_goes before delete on readiness_sheet
begin
  select raise(abort, 'a sheet that was signed is never deleted');
end;
