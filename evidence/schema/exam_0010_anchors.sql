-- What left the machine, so that a ledger rewritten later contradicts something outside it.

-- One checkpoint that was printed, cosigned or stamped (外部锚定). Never updated, never deleted.
create table anchor (
  id           integer primary key,
  -- paper: printed to be signed by people; cosigned: by a cosigner's key; stamped: by a time stamping authority.
  kind         text    not null check (kind in ('paper', 'cosigned', 'stamped')),
  -- Which ledger: exam or footage.
  ledger       text    not null check (ledger in ('exam', 'footage')),
  -- How many leaves the checkpoint covers.
  size         integer not null check (size >= 0),
  -- The signed note as it left (docs/design/evidence.md).
  note         text    not null check (note <> ''),
  -- cosigned: the signature line; stamped: the RFC 3161 response; null on paper.
  token        blob    check (token is null or length(token) > 0),
  -- Whose key or authority it was; null on paper.
  authority_id integer references time_authority (id),
  -- cosigned, stamped: the moment the other side states; null on paper.
  stated_at_us integer check (stated_at_us > 0),
  -- Who printed it, or brought the answer.
  account_id   integer not null references account (id),
  anchored_at_us integer not null check (anchored_at_us > 0),
  check ((kind = 'paper') = (token is null)),
  check ((token is null) = (authority_id is null)),
  check ((token is null) = (stated_at_us is null))
) strict;
create index anchor_by_ledger on anchor (ledger, id);
create trigger anchor_never_changes before update on anchor
begin
  select raise(abort, 'an anchor is never updated');
end;
create trigger anchor_never_goes before delete on anchor
begin
  select raise(abort, 'an anchor is never deleted');
end;
