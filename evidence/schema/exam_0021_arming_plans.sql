-- What people looked at before they armed a session. The digest stands with the arming (session_arming) and its leaf.

-- A plan as it was shown: every signal of every room with its moment. Kept once, however often the same was armed.
create table arming_plan (
  -- SHA-256 of the content in UTF-8, in hex.
  sha256  text primary key check (length(sha256) = 64),
  -- The plan as canonical JSON (exam.arming).
  content text not null check (json_valid(content))
) strict;
create trigger arming_plan_never_changes before update on arming_plan
begin
  select raise(abort, 'a plan that was shown is never updated');
end;
create trigger arming_plan_never_goes before delete on arming_plan
begin
  select raise(abort, 'a plan that was shown is never deleted');
end;
