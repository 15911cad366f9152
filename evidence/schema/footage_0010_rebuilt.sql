-- A footage index that was lost and made anew from the files that describe themselves.

-- One row in a rebuilt index, its first fact. An index that was never lost has none.
create table rebuilt_index (
  id             integer primary key check (id = 1),
  rebuilt_at_us  integer not null check (rebuilt_at_us > 0),
  -- Why, in the words of the check that found the lost index unusable.
  reason         text    not null check (reason <> ''),
  -- Folder beside footage.db into which the lost index, its checkpoints and its key were moved.
  aside_folder   text    not null check (aside_folder <> ''),
  -- SHA-256 of the lost index as it was set aside; null: there was no file.
  lost_sha256    blob    check (length(lost_sha256) = 32),
  -- The last signed checkpoint of the lost ledger, as it was written; null: none was found.
  lost_checkpoint text
) strict;

-- With the run in the index, a day's timeline is answered without looking at any segment row.
drop index segment_by_camera;
create index segment_by_camera on segment (camera_uuid, started_at_us, ended_at_us, run_id);
