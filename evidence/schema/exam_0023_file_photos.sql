-- Photos of the registration (花名册照片), taken in with the roster: what staff compare faces with (13(2), R7).

-- Whose photo a picture is. Of several rows of one candidate the last counts; the older ones stay, with their pictures.
create table file_photo (
  id             integer primary key,
  candidate_id   integer not null references candidate (id),
  -- The photo itself lies encrypted like every picture of a person.
  picture_id     integer not null references check_in_picture (id),
  -- Who took it in; null: from the command line of the machine.
  account_id     integer references account (id),
  recorded_at_us integer not null check (recorded_at_us > 0)
) strict;
create index file_photo_by_candidate on file_photo (candidate_id, id);
create index file_photo_by_picture on file_photo (picture_id);
create trigger file_photo_never_changes before update on file_photo
begin
  select raise(abort, 'whose photo a picture is, is never updated');
end;
create trigger file_photo_never_goes before delete on file_photo
begin
  select raise(abort, 'whose photo a picture is, is never deleted');
end;
