-- Who looked at the pictures of people (查看照片), and whose documents were looked at again (再次查验证件).

-- A look at a photo or signature of somebody: whoever opens it again within a few minutes still looks.
create table check_in_picture_view (
  id           integer primary key,
  picture_id   integer not null references check_in_picture (id),
  -- Who looked.
  account_id   integer not null references account (id),
  viewed_at_us integer not null check (viewed_at_us > 0)
) strict;
create index check_in_picture_view_by_picture on check_in_picture_view (picture_id, account_id);
create trigger check_in_picture_view_never_changes before update on check_in_picture_view
begin
  select raise(abort, 'a look at a picture is never updated');
end;
create trigger check_in_picture_view_never_goes before delete on check_in_picture_view
begin
  select raise(abort, 'a look at a picture is never deleted');
end;

-- Documents looked at again at the seat after the start (再次查验证件, 13(3)). Of several rows of one candidate the
-- last counts. What was in doubt there is a doubt_case.
create table seat_check (
  id             integer primary key,
  session_id     integer not null references session (id),
  candidate_id   integer not null references candidate (id),
  -- 0: they are his and in order; 1: the row before was a slip of the finger.
  is_taken_back  integer not null check (is_taken_back in (0, 1)),
  account_id     integer not null references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;
create index seat_check_by_candidate on seat_check (session_id, candidate_id, id);
create trigger seat_check_never_changes before update on seat_check
begin
  select raise(abort, 'a look at documents is never updated');
end;
create trigger seat_check_never_goes before delete on seat_check
begin
  select raise(abort, 'a look at documents is never deleted');
end;
