-- After a restart of the machine during an exam nobody vouches for its clock: rooms, whose players went on, tell
-- what time the console told, or a person does. Nothing hangs on the time before.

-- The name under which rooms know the console's clock; another one whenever it was moved. Empty before this script.
alter table console_clock add column name text not null default '';

-- By what the console goes on to tell the time after a restart. A fact with a leaf.
create table console_clock_restart (
  id            integer primary key,
  -- The boot that began with the restart.
  boot_id       text    not null,
  -- rooms: their players told it; person: somebody of the site said what time it is.
  source        text    not null check (source in ('rooms', 'person')),
  -- How many players' words were heard.
  words         integer not null check (words >= 0),
  -- Who said what time it is; null when the rooms did.
  account_id    integer references account (id),
  -- How far the machine's own clock was ahead then; negative: behind.
  apart_us      integer not null,
  -- When the time counted from, by that time.
  settled_at_us integer not null check (settled_at_us > 0),
  check ((source = 'person') = (account_id is not null)),
  check (source = 'person' or words > 0)
) strict;
create trigger console_clock_restart_never_changes before update on console_clock_restart
begin
  select raise(abort, 'restarts of the clock are never updated');
end;
create trigger console_clock_restart_never_goes before delete on console_clock_restart
begin
  select raise(abort, 'restarts of the clock are never deleted');
end;

-- A player that nobody could ask came back, and tells another time than a person said. A fact with a leaf.
create table console_clock_contradiction (
  id         integer primary key,
  restart_id integer not null unique references console_clock_restart (id),
  -- How far what it holds the time to be is ahead; negative: behind.
  apart_us   integer not null check (apart_us <> 0),
  -- When it told, by the time that person said.
  told_at_us integer not null check (told_at_us > 0)
) strict;
create trigger console_clock_contradiction_never_changes before update on console_clock_contradiction
begin
  select raise(abort, 'what rooms told of the time is never updated');
end;
create trigger console_clock_contradiction_never_goes before delete on console_clock_contradiction
begin
  select raise(abort, 'what rooms told of the time is never deleted');
end;
