-- Recording by schedule: standing by, when a recorder ran at all, and the certificates that were kept.

drop table camera_state;
-- What each camera is doing now, made anew with the state `standby`: it holds nothing that must be kept.
create table camera_state (
  camera_uuid    text    primary key check (length(camera_uuid) = 36),
  -- connecting, recording, stalled, down, stopped; standby: no footage is owed now.
  state          text    not null check (state in ('connecting', 'recording', 'stalled', 'down', 'stopped',
                                                   'standby')),
  -- Since when it is so.
  since_us       integer not null check (since_us > 0),
  -- Last moment bytes arrived; null: never in this run of the service.
  last_bytes_at_us integer check (last_bytes_at_us > 0),
  -- A code of evidence.footage.Cause when not recording; empty otherwise.
  cause          text    not null default '',
  -- Bits per second over the last seconds.
  bitrate_bps    integer not null default 0 check (bitrate_bps >= 0),
  updated_at_us  integer not null check (updated_at_us > 0)
) strict;

-- One stretch in which the recorder service ran (录像服务运行). Outside of all of them nobody could record.
create table recorder_presence (
  id              integer primary key,
  -- The machine's boot: tells a recorder that died from a machine that went down.
  boot_id         text    not null check (boot_id <> ''),
  started_at_us   integer not null check (started_at_us > 0),
  -- Rewritten every two seconds.
  last_seen_at_us integer not null check (last_seen_at_us > 0),
  -- When it stopped because it was asked to; null: it runs, or it died.
  ended_at_us     integer check (ended_at_us > 0)
) strict;

-- The final coverage certificate of one session (录像覆盖证明), kept once when everything was settled.
create table coverage_certificate (
  id           integer primary key,
  -- session.id in exam.db; the two databases share no foreign keys.
  session_id   integer not null unique check (session_id > 0),
  -- The certificate as canonical JSON (docs/design/evidence.md). Names no person.
  content      text    not null check (json_valid(content)),
  -- SHA-256 of the content in UTF-8: what the ledger commits to.
  sha256       blob    not null check (length(sha256) = 32),
  -- Its leaf in the ledger of footage.db.
  leaf_index   integer not null check (leaf_index >= 0),
  made_at_us   integer not null check (made_at_us > 0)
) strict;
create trigger coverage_certificate_never_changes before update on coverage_certificate
begin
  select raise(abort, 'a kept certificate is never updated');
end;
create trigger coverage_certificate_never_goes before delete on coverage_certificate
begin
  select raise(abort, 'a kept certificate is never deleted');
end;
