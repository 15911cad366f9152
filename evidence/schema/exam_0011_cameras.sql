-- Since when a camera owes footage.

-- When an import named the camera for the first time, microseconds UTC: it owes nothing of what was over then.
-- Null: taken in before this was kept; such a camera counts for every session of its room.
alter table camera add column added_at_us integer check (added_at_us > 0);
