-- Who takes footage out of the house, beside the work order that asks for it (799号令 第十六条: 事由、内容、单位、姓名).

-- One row per work order of kind `export`; the reason stands in work_order. Never updated, never deleted.
create table export_request (
  work_order_id  integer primary key references work_order (id),
  -- The organisation (单位) of the person who takes the footage.
  organisation   text    not null check (organisation <> ''),
  -- The name of the person who takes it.
  requested_by   text    not null check (requested_by <> ''),
  -- The name of the second person present (见证人); empty: nobody.
  second_person  text    not null
) strict;
create trigger export_request_never_changes before update on export_request
begin
  select raise(abort, 'an export request is never updated');
end;
create trigger export_request_never_goes before delete on export_request
begin
  select raise(abort, 'an export request is never deleted');
end;
