-- How far the recorder is with what the console ordered.

-- The answer to one row of work_order in exam.db. No row: not taken up yet.
create table work_report (
  -- work_order.id; the two databases share no foreign keys.
  order_id      integer primary key check (order_id > 0),
  -- running, done, failed. A running one is taken up again when the recorder restarts.
  state         text    not null check (state in ('running', 'done', 'failed')),
  -- How much of it is done, in units that the words explain; total 0: not known.
  done_units    integer not null default 0 check (done_units >= 0),
  total_units   integer not null default 0 check (total_units >= 0),
  -- What is going on or went wrong, and what to do, for the person who ordered it.
  words         text    not null default '',
  -- What came of it, as canonical JSON; null while it runs.
  outcome       text    check (outcome is null or json_valid(outcome)),
  started_at_us integer not null check (started_at_us > 0),
  updated_at_us integer not null check (updated_at_us > 0),
  check ((outcome is null) = (state = 'running'))
) strict;
