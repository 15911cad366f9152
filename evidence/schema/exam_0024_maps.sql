-- Floor plans (平面图) by which staff send somebody to his room. Part of the site plan: replaced with it.

-- One picture, used by as many rooms as it shows.
create table floor_map (
  id         integer primary key,
  sha256     blob    not null unique check (length(sha256) = 32),
  media_type text    not null check (media_type in ('image/jpeg', 'image/png')),
  -- Size in pixels.
  width      integer not null check (width > 0),
  height     integer not null check (height > 0),
  content    blob    not null check (length(content) > 0)
) strict;

-- On which picture a room is shown.
create table room_map (
  id      integer primary key,
  room_id integer not null unique references room (id),
  map_id  integer not null references floor_map (id),
  -- Where its door is, in thousandths of the picture from the left and from above; null: the picture shows the way itself.
  at_x    integer check (at_x between 0 and 1000),
  at_y    integer check (at_y between 0 and 1000),
  check ((at_x is null) = (at_y is null))
) strict;
create index room_map_by_map on room_map (map_id);
