-- Who looked at the pictures of people (查看照片).

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
