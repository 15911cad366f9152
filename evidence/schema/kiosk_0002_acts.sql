-- What staff did at this kiosk while it worked alone (check-in by hand), on its way to the console. Durable before the
-- candidate is let in; never deleted, so that people can compare with the console.
create table staff_act (
  -- The order in which it was done here; sent along as its sequence.
  id                   integer primary key check (id > 0),
  -- Made before anybody signed: the console does one act for one nonce.
  nonce                text    not null unique check (length(nonce) between 16 and 64),
  -- When it was done, by this kiosk's clock, microseconds since 1970 UTC.
  happened_at_us       integer not null check (happened_at_us > 0),
  -- The act as it is sent, with its signatures, sealed with the kiosk's outbox key. Null: the console has it on record.
  sealed_body          text,
  -- waiting: the console does not know. delivered: it has it on record. needs_human: it does not take it, or it cannot be
  -- opened; it is kept.
  state                text    not null default 'waiting' check (state in ('waiting', 'delivered', 'needs_human')),
  -- What the candidate was answered (exam.outcomes).
  outcome              text    not null check (outcome <> ''),
  -- Whom it let in, for which session and to which place, in the console's numbers.
  candidate_id         integer not null,
  session_id           integer not null,
  place_id             integer not null,
  -- When, by the console's clock as far as known.
  let_in_at_us         integer not null check (let_in_at_us > 0),
  -- When the console had it on record, by the console's clock as far as known. Null: not yet.
  delivered_at_us      integer check (delivered_at_us > 0),
  -- Why a person must look, for staff; holds no number of a document.
  problem              text    not null default '',
  check (sealed_body is not null or state = 'delivered'),
  check (state <> 'needs_human' or problem <> '')
) strict;
create index staff_act_not_delivered on staff_act (id) where state <> 'delivered';
create trigger staff_act_never_goes before delete on staff_act
begin
  select raise(abort, 'an act of staff is never deleted');
end;
create trigger staff_act_keeps_its_name before update of id, nonce, happened_at_us, candidate_id, session_id, place_id, let_in_at_us
  on staff_act
begin
  select raise(abort, 'what staff did, and when, never changes');
end;
create trigger staff_act_stays_delivered before update of state on staff_act when old.state = 'delivered'
begin
  select raise(abort, 'what the console has on record stays delivered');
end;
