-- Camera alarms (摄像机告警): what is wrong is read from footage.db whenever it is asked; here stands who has seen it.

-- Somebody said of a trouble that lasts: I know. Never updated, never deleted. It is quiet until the trouble is over;
-- the same trouble beginning again is a new alarm.
create table alarm_acknowledgement (
  id              integer primary key,
  -- Which alarm: a code of evidence.camera_alarms.AlarmKind.
  kind            text    not null check (kind <> ''),
  -- Uuid of the camera; folder of the volume; empty for the recorder itself.
  subject         text    not null,
  -- What exactly: a code of evidence.health.HealthKind for pictures; empty for the other kinds.
  code            text    not null default '',
  -- Since when the trouble lasted, as it was shown.
  since_us        integer not null check (since_us > 0),
  acknowledged_by integer not null references account (id),
  acknowledged_at_us integer not null check (acknowledged_at_us > 0)
) strict;
create index alarm_acknowledgement_by_alarm on alarm_acknowledgement (kind, subject, code, acknowledged_at_us);
create trigger alarm_acknowledgement_never_changes before update on alarm_acknowledgement
begin
  select raise(abort, 'an acknowledgement is never updated');
end;
create trigger alarm_acknowledgement_never_goes before delete on alarm_acknowledgement
begin
  select raise(abort, 'an acknowledgement is never deleted');
end;
