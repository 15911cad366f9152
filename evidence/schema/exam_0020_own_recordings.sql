-- The site's own recordings of announcements (自备录音): what somebody recorded, who listened to it and let rooms
-- hear it, and who took it back. Never updated, never deleted.

-- One recording of one text, as rooms would hear it. Rooms hear none before somebody confirmed it (own_recording_act).
create table own_recording (
  id            integer primary key,
  -- Digest of the text in UTF-8. A recording belongs to its text: other words need another recording.
  text_sha256   blob    not null check (length(text_sha256) = 32),
  -- The text as it stood when it was recorded.
  words         text    not null check (words <> ''),
  -- Digest of the file as somebody uploaded it; the file itself is not kept.
  upload_sha256 blob    not null check (length(upload_sha256) = 32),
  -- The words alone, without bell or chime: WAV, one channel, 16 bits, 22,050 samples a second, loudness normalised.
  content       blob    not null check (length(content) > 44),
  -- Digest of the content.
  sha256        blob    not null check (length(sha256) = 32),
  -- How long the content sounds.
  duration_us   integer not null check (duration_us > 0),
  -- Who uploaded it.
  account_id    integer not null references account (id),
  uploaded_at_us integer not null check (uploaded_at_us > 0)
) strict;
create index own_recording_by_text on own_recording (text_sha256);
create trigger own_recording_never_changes before update on own_recording
begin
  select raise(abort, 'a recording is never updated');
end;
create trigger own_recording_never_goes before delete on own_recording
begin
  select raise(abort, 'a recording is never deleted');
end;

-- What became of a recording. Rooms hear the recording of the text that was confirmed last, or the rendered speech once
-- that one was taken back.
create table own_recording_act (
  id            integer primary key,
  recording_id  integer not null references own_recording (id),
  -- confirmed: a named person listened to it to the end, and rooms hear it from now on; taken_back: not any more,
  -- or, where it was never confirmed, never.
  act           text    not null check (act in ('confirmed', 'taken_back')),
  account_id    integer not null references account (id),
  acted_at_us   integer not null check (acted_at_us > 0),
  unique (recording_id, act)
) strict;
create trigger own_recording_act_never_changes before update on own_recording_act
begin
  select raise(abort, 'an act is never updated');
end;
create trigger own_recording_act_never_goes before delete on own_recording_act
begin
  select raise(abort, 'an act is never deleted');
end;
