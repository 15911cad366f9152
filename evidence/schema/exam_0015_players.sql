-- Players: what sounds in which room, how each one is, and who heard it there.

-- A headless speaker (音箱): a program at a loudspeaker or at the input of the site's public address system. It is
-- invited with a one-time code, enrols itself and proves itself from then on with a token; only digests are kept.
create table speaker (
  id             integer primary key,
  -- Names the device for ever, also in its reports.
  uuid           text    not null unique check (length(uuid) = 36),
  -- What people call it: '广播主机', '第1考场音箱'.
  label          text    not null unique check (label <> ''),
  -- 1: serves every room of the site, also those that come later; 0: those of speaker_room.
  serves_all     integer not null check (serves_all in (0, 1)),
  -- Digest of the one-time code; null once it was used.
  invitation_sha256 blob unique check (length(invitation_sha256) = 32),
  -- The code is worthless after this moment. Null when there is none.
  invited_until_us  integer check (invited_until_us > 0),
  -- Digest of the token; null before the device enrolled.
  token_sha256   blob    unique check (length(token_sha256) = 32),
  enrolled_at_us integer check (enrolled_at_us > 0),
  revoked_at_us  integer check (revoked_at_us > 0),
  check ((invitation_sha256 is null) = (invited_until_us is null)),
  check ((token_sha256 is null) = (enrolled_at_us is null))
) strict;

-- Which rooms a speaker sounds in; none of them when it serves all.
create table speaker_room (
  speaker_id integer not null references speaker (id),
  room_id    integer not null references room (id),
  primary key (speaker_id, room_id)
) strict, without rowid;

-- The last heartbeat of each player in each room. Overwritten every few seconds; what it played and could not play
-- stands for ever in announcement_report, with the clock offset it had then.
create table player_state (
  room_id      integer not null references room (id),
  -- The player's own name for itself, as in announcement_report.
  player       text    not null check (length(player) between 8 and 64),
  -- page: the room page in a browser; speaker: a program at a loudspeaker.
  kind         text    not null check (kind in ('page', 'speaker')),
  -- What people call it: the speaker's label, or what the browser says it is.
  label        text    not null check (length(label) <= 80),
  seen_at_us   integer not null check (seen_at_us > 0),
  -- Its wall clock minus this machine's, and how wrong its measure of this machine's time may be. Null: not measured.
  offset_us    integer,
  error_us     integer check (error_us >= 0),
  -- How many of the sounds that the room needs today it holds.
  audio_ready  integer not null check (audio_ready >= 0),
  audio_wanted integer not null check (audio_wanted >= 0),
  -- 1: the browser lets it sound (a touch was given). Always 1 for a speaker.
  is_allowed   integer not null check (is_allowed in (0, 1)),
  -- 1: the screen is kept awake. Always 1 for a speaker.
  is_awake     integer not null check (is_awake in (0, 1)),
  -- 1: an output device is open and moves.
  has_output   integer not null check (has_output in (0, 1)),
  -- 1: the samples it gave out last were no silence; 0: they were, though they should not have been; null: cannot tell.
  is_audible   integer check (is_audible in (0, 1)),
  -- What it played last (a cue's or test tone's key), when that began by this machine's time, and why it failed.
  played_key   text,
  played_at_us integer check (played_at_us > 0),
  played_error text    not null default '' check (length(played_error) <= 80),
  primary key (room_id, player),
  check ((offset_us is null) = (error_us is null))
) strict, without rowid;

-- Somebody asked for the test tone (试音) in a room; its players sound it together at the moment named.
create table sound_test (
  id            integer primary key,
  room_id       integer not null references room (id),
  ordered_by    integer not null references account (id),
  ordered_at_us integer not null check (ordered_at_us > 0),
  sounds_at_us  integer not null check (sounds_at_us > 0)
) strict;
create index sound_test_by_room on sound_test (room_id, sounds_at_us);

-- A named person in the room says whether the test tone was heard there (rule A-8). Never updated: asking again adds.
create table sound_check (
  id            integer primary key,
  room_id       integer not null references room (id),
  account_id    integer not null references account (id),
  -- heard: loud and clear; not_heard: silent or too weak, somebody must see to it.
  outcome       text    not null check (outcome in ('heard', 'not_heard')),
  checked_at_us integer not null check (checked_at_us > 0)
) strict;
create index sound_check_by_room on sound_check (room_id, checked_at_us);
create trigger sound_check_never_changes before update on sound_check
begin
  select raise(abort, 'a sound check is never updated');
end;
create trigger sound_check_never_goes before delete on sound_check
begin
  select raise(abort, 'a sound check is never deleted');
end;
