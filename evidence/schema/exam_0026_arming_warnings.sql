-- What stood against arming a session when somebody armed it all the same. Its digest stands with the arming
-- (session_arming) and its leaf.

-- The warnings as they were shown, in words: every one of the attempt, and those that stood at the press.
-- Kept once, however often the same were shown.
create table arming_warnings (
  -- SHA-256 of the content in UTF-8, in hex.
  sha256  text primary key check (length(sha256) = 64),
  -- The warnings as canonical JSON (exam.arming_warnings); empty lists where nothing stood against it.
  content text not null check (json_valid(content))
) strict;
create trigger arming_warnings_never_change before update on arming_warnings
begin
  select raise(abort, 'warnings that were shown are never updated');
end;
create trigger arming_warnings_never_go before delete on arming_warnings
begin
  select raise(abort, 'warnings that were shown are never deleted');
end;

-- Digest of the warnings as they were shown. Null when disarmed, and where nobody kept any (before this script).
alter table session_arming add column warnings_sha256 text check (length(warnings_sha256) = 64);
