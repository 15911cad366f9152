-- What the console asks the recorder to do: footage is written and read out by the recorder alone.

-- One order (工作指令). The recorder reads it here and answers in footage.db, table work_report.
-- Never updated, never deleted: a new wish is a new order.
create table work_order (
  id            integer primary key,
  -- What is to be done: a code of evidence.work_orders.OrderKind.
  kind          text    not null check (kind <> ''),
  -- What it is to be done to: canonical JSON of ids, uuids, codes and times, never a name or a number of a person.
  subject       text    not null check (json_valid(subject)),
  -- Why, in the words of who ordered it.
  reason        text    not null check (reason <> ''),
  -- Salt of the digest by which the ledger commits to the reason: without it nobody can guess the text.
  salt          blob    not null default (randomblob(16)) check (length(salt) = 16),
  ordered_by    integer not null references account (id),
  ordered_at_us integer not null check (ordered_at_us > 0)
) strict;
create index work_order_by_kind on work_order (kind, id);
create trigger work_order_never_changes before update on work_order
begin
  select raise(abort, 'a work order is never updated');
end;
create trigger work_order_never_goes before delete on work_order
begin
  select raise(abort, 'a work order is never deleted');
end;
