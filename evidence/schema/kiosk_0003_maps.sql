-- Floor plans that the console sent beforehand, so that the screen can show the way without asking anybody. They show no
-- person and no secret; which rooms they show, and where, stands in the day part.
create table kept_map (
  -- SHA-256 of its bytes, lower-case hex: by this the day part names it.
  sha256  text primary key check (length(sha256) = 64),
  -- The picture, PNG or JPEG, at most 256 KiB (evidence.kiosk_maps).
  content blob not null check (length(content) between 1 and 262144)
) strict;
