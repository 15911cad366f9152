#!/bin/sh
# 核验取证导出包 / Checks a footage bag with find, sha256sum, awk and openssl 3 alone; no network.
#
#   sh verify.sh [BAG] --key site.pem | --fingerprint HEX
#
# The key or its fingerprint must come from outside the bag. Exit status: 0 all holds; 1 refused; 2 wrong use or no
# key from outside; 3 genuine, but the bag names parts that it does not deliver or cannot account for. The same
# checks as verify.py, in the same order: docs/design/evidence.md, "What a verifier checks".
set -eu
LC_ALL=C
export LC_ALL
unset CDPATH
umask 077

exec 3>&1
unseen=$(printf '\302[\200-\237]') # control characters beyond ASCII, as UTF-8
tab=$(printf '\t')
clean() { tr -d '\000-\010\013-\037\177' | sed "s/$unseen//g"; } # nothing that a terminal obeys
refuse() { printf '结论：不予采信 / REFUSED: %s\n' "$(printf %s "$*" | tr '\n' ' ' | clean)" >&3; exit 1; }
usage() { echo "用法 / usage: sh verify.sh [BAG] --key site.pem | --fingerprint HEX"; exit 2; }
raw_key() { # the 32 bytes of an Ed25519 public key
    openssl pkey -pubin -in "$1" -outform DER >"$tmp/der" 2>/dev/null || refuse "not a public key: $1"
    [ "$(head -c 12 "$tmp/der" | od -An -v -tx1 | tr -d ' \n')" = 302a300506032b6570032100 ] || refuse "not Ed25519: $1"
    tail -c 32 "$tmp/der"
}
check_signature() { # file, signature
    openssl pkeyutl -verify -pubin -inkey proof/key.pem -rawin -in "$1" -sigfile "$2" >/dev/null 2>&1 </dev/null ||
        refuse "bad signature: $1"
}
said() { # what bag-info.txt says under a label that it has once, capitals and spaces aside
    [ "$(grep -ci "^[[:space:]]*$1[[:space:]]*:" bag-info.txt)" -eq 1 ] || refuse "bag-info.txt does not say once: $1"
    sed -n "s/^$1: //p" bag-info.txt
}
# For awk: characters of UTF-8 beyond ASCII, a JSON string and a whole number as the formats write them.
wide='[\302-\337][\200-\277]|\340[\240-\277][\200-\277]|[\341-\354\356\357][\200-\277][\200-\277]|\355[\200-\237][\200-\277]'
wide="$wide"'|\360[\220-\277][\200-\277][\200-\277]|[\361-\363][\200-\277][\200-\277][\200-\277]|\364[\200-\217][\200-\277][\200-\277]'
string='"([] !#-[^-\177]|\\\\(["\\\\bfnrt]|u00(0[0-7bef]|1[0-9a-f]))|'"$wide"')*"'
whole='(0|[1-9][0-9]*)'

bag=$(dirname "$0") outside=
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
while [ $# -gt 0 ]; do
    case $1 in
    --key) [ $# -ge 2 ] || usage; raw_key "$2" >"$tmp/outside"; outside=$(sha256sum <"$tmp/outside" | cut -c1-64); shift ;;
    --fingerprint) [ $# -ge 2 ] || usage; outside=$(printf %s "$2" | tr -d ' :\n-' | tr A-F a-f); shift ;;
    -*) usage ;;
    *) bag=$1 ;;
    esac
    shift
done
case $outside in *[!0-9a-f]*) usage ;; esac
[ -z "$outside" ] || [ ${#outside} -eq 64 ] || usage
cd "$bag" || refuse "no such folder: $bag"
bag=$(pwd -P)

# 1. Plain files with plain names, each in one manifest. What is small is copied first: a medium that answers
#    otherwise when it is asked again gains nothing.
[ -z "$(find . ! -type f ! -type d)" ] || refuse "links or special files in the bag"
strange=$(find . ! -path . \( -name '*[!A-Za-z0-9_.-]*' -o -name '[!A-Za-z0-9_]*' \) \
    ! \( -type f \( -path ./电子数据清单.pdf -o -path ./电子数据清单.csv -o -path ./怎样核验.txt \) \))
[ -z "$strange" ] || refuse "a name that no bag has: $strange"
[ -z "$(find . -path ./data -prune -o -type f -size +67108863c -print)" ] || refuse "a list or proof is too large"
find . -type f | sed 's|^\./||' | sort >"$tmp/found"
[ -z "$(tr A-Z a-z <"$tmp/found" | sort | uniq -d)" ] || refuse "two names differ by capitals alone"
mkdir "$tmp/bag" "$tmp/n"
for each in ./*; do [ "$each" = ./data ] || cp -R "$each" "$tmp/bag/"; done
cd "$tmp/bag"
printf 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n' | cmp -s - bagit.txt || refuse "bagit.txt"
for manifest in manifest-sha256.txt tagmanifest-sha256.txt; do
    [ -f $manifest ] || refuse "missing: $manifest"
    if grep -Evq '^[0-9a-f]{64}  [^[:cntrl:]]+$' $manifest; then refuse "malformed: $manifest"; fi
    [ -z "$(tail -c 1 $manifest | tr -d '\n')" ] || refuse "malformed: $manifest"
done
if grep -qv '^.\{66\}data/' manifest-sha256.txt || grep -q '^.\{66\}data/' tagmanifest-sha256.txt; then
    refuse "a path stands in the wrong manifest"
fi
{
    sed 's/^.\{66\}//' manifest-sha256.txt tagmanifest-sha256.txt
    printf 'tagmanifest-sha256.txt\ntagmanifest-sha256.txt.sig\n'
} | sort | cmp -s - "$tmp/found" || refuse "files and manifests differ"

# 2. The signature, by the key known from outside; then every digest: small files, the size of the originals, these.
raw_key proof/key.pem >"$tmp/raw"
openssl pkey -pubin -in proof/key.pem | cmp -s - proof/key.pem || refuse "not the usual form of a key"
fingerprint=$(sha256sum <"$tmp/raw" | cut -c1-64)
[ -z "$outside" ] || [ "$outside" = "$fingerprint" ] || refuse "signed by another key: $fingerprint"
check_signature tagmanifest-sha256.txt tagmanifest-sha256.txt.sig
echo "签名有效，公钥指纹 $fingerprint / the signature covers every file of the bag"
sha256sum -c tagmanifest-sha256.txt >"$tmp/sums" 2>&1 </dev/null || refuse "$(grep -v ': OK$' "$tmp/sums" | head -n 1)"
for each in bag-info.txt delivery.json; do # a shell drops what is no text
    [ "$(tr -d '\000' <$each | wc -c)" -eq "$(wc -c <$each)" ] || refuse "not text: $each"
done
[ -z "$(tail -c 1 delivery.json | tr -d '\n')" ] || refuse "not the usual form: delivery.json"
awk -v wide="$wide" '$0 !~ "^([\001-\177]|" wide ")*$" { exit 1 }' bag-info.txt || refuse "not text: bag-info.txt"
oxum=$(cd "$bag" && find data -type f -exec wc -c {} \; 2>/dev/null | awk '{ sum += $1 } END { printf "%.0f.%d", sum, NR }')
[ "$(said Payload-Oxum)" = "$oxum" ] || refuse "the originals have another size in all than the bag says"
# No original at all: everything asked for was a recorded gap, or disposed. sha256sum has a dislike of that.
[ ! -s manifest-sha256.txt ] || (cd "$bag" && sha256sum -c "$tmp/bag/manifest-sha256.txt") >"$tmp/sums" 2>&1 </dev/null ||
    refuse "$(grep -v ': OK$' "$tmp/sums" | head -n 1)"
echo "完整：$(wc -l <"$tmp/found") 个文件与清单一致 / every file is listed and has its digest"

# 3. The signed checkpoint of the ledger.
check_signature proof/checkpoint.txt proof/checkpoint.sig
origin=$(sed -n 1p proof/checkpoint.txt) size=$(sed -n 2p proof/checkpoint.txt) root=$(sed -n 3p proof/checkpoint.txt)
printf '%s\n%s\n%s\n' "$origin" "$size" "$root" | cmp -s - proof/checkpoint.txt || refuse "malformed checkpoint"
[ "$origin" = "kaochang/footage/$(printf %.16s "$fingerprint")" ] || refuse "foreign checkpoint"
case $size in '' | *[!0-9]* | 0?*) refuse "malformed checkpoint" ;; esac
key_id=$({ printf '%s\n\001' "$origin"; cat "$tmp/raw"; } | sha256sum | cut -c1-8 | sed 's/../0x& /g')
# shellcheck disable=SC2046,SC2059,SC2086
printf "$(printf '\\%03o' $key_id)" >"$tmp/line"
cat proof/checkpoint.sig >>"$tmp/line"
{
    cat proof/checkpoint.txt
    printf '\n— %s %s\n' "$origin" "$(openssl base64 -A -in "$tmp/line")"
} | cmp -s - proof/checkpoint.note || refuse "the checkpoint's note and its parts differ"
[ "$(printf %s "$root" | openssl base64 -d -A | openssl base64 -A)" = "$root" ] || refuse "malformed checkpoint"
root=$(printf %s "$root" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
[ ${#root} -eq 64 ] || refuse "malformed checkpoint"
echo "台账检查点：$size 条，$origin / ledger checkpoint, root $root"

# 4. Every leaf under the checkpoint: one round for each level of the tree, all leaves of the bag at once.
find proof -name '*.entry' | sort >"$tmp/entries"
number=0
: >"$tmp/facts"
while IFS= read -r entry; do
    number=$((number + 1))
    IFS= read -r line <"$entry" || : # it has no end
    printf '\000%s' "$line" >"$tmp/n/$number"
    printf '%s\t%s\n' "$entry" "$line" >>"$tmp/facts"
    [ -f "${entry%.entry}.tlog-proof" ] || refuse "missing: ${entry%.entry}.tlog-proof"
done <"$tmp/entries"
# Sizes show bytes that a shell or awk drops.
sizes() { [ ! -s "$1" ] || xargs wc -c <"$1" | awk '$2 != "total" { print $2 "\t" $1 }'; }
sizes "$tmp/entries" | paste "$tmp/facts" - | awk -F '\t' 'length($2) != $4 { exit 1 }' || refuse "an entry is malformed"
sed 's/entry$/tlog-proof/' "$tmp/entries" >"$tmp/proofs"
sizes "$tmp/proofs" >"$tmp/leaves"
# Prints: number, index, last index, and the hashes of the path in hex. Fails on the slightest disorder.
awk -F "$tab" -v size="$size" -v note=proof/checkpoint.note '
    function hex(text,   bits, held, at, value, made) {
        if (substr(text, 44) != "=") exit 1
        for (at = 1; at <= 43; at++) {
            value = index("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", substr(text, at, 1)) - 1
            if (value < 0) exit 1
            held = held * 64 + value; bits += 6
            while (bits >= 4) {
                bits -= 4; made = made sprintf("%x", int(held / 2 ^ bits)); held %= 2 ^ bits
            }
        }
        if (held) exit 1
        return made
    }
    BEGIN { while ((getline line <note) > 0) want[++wanted] = line }
    {
        path = $1; at = 0; made = ""; phase = 0; seen = 0; bytes = 0
        while ((getline line <path) > 0) {
            at++; bytes += length(line) + 1
            if (at == 1) { if (line != "c2sp.org/tlog-proof@v1") exit 1 }
            else if (at == 2) { if (line !~ /^index (0|[1-9][0-9]*)$/) exit 1; leaf = substr(line, 7) }
            else if (!phase && line == "") phase = 1
            else if (!phase) made = made " " hex(line)
            else if (line != want[++seen]) exit 1
        }
        close(path)
        if (seen != wanted || bytes != $2 || leaf + 0 >= size + 0 || size + 0 > 9007199254740991) exit 1
        print NR, leaf, size - 1, "-" made
    }' "$tmp/leaves" >"$tmp/state" || refuse "malformed proof"
cut -d ' ' -f 2 "$tmp/state" >"$tmp/places"
while [ -s "$tmp/leaves" ]; do
    (cd "$tmp/n" && sha256sum ./*) | sed 's|\./||' >"$tmp/hashes"
    # Takes the new hashes in, climbs one level, writes what is to be hashed next.
    awk -v commands="$tmp/commands" '
        function octal(text,   at, made) {
            for (at = 1; at <= 64; at += 2)
                made = made sprintf("\\%03o", digit(substr(text, at, 1)) * 16 + digit(substr(text, at + 1, 1)))
            return made
        }
        function digit(sign) { return index("0123456789abcdef", sign) - 1 }
        BEGIN { printf "" >commands }
        NR == FNR { node[$2] = $1; next }
        {
            if ($1 in node) $4 = node[$1]
            if (NF > 4) {
                place = $2; last = $3; sibling = $5
                if (last == 0) exit 1
                if (place % 2 || place == last) {
                    both = octal(sibling) octal($4)
                    while (place % 2 == 0) { place /= 2; last /= 2 }
                } else both = octal($4) octal(sibling)
                printf "printf \"\\001%s\" >\"$tmp/n/%d\"\n", both, $1 >commands
                rest = ""
                for (at = 6; at <= NF; at++) rest = rest " " $at
                $0 = $1 " " int(place / 2) " " int(last / 2) " -" rest
            }
            print
        }' "$tmp/hashes" "$tmp/state" >"$tmp/next" || refuse "malformed proof"
    mv "$tmp/next" "$tmp/state"
    [ -s "$tmp/commands" ] || break
    rm -f "$tmp"/n/*
    # shellcheck disable=SC1091
    . "$tmp/commands"
done
awk -v root="$root" '$3 != 0 || $4 != root { exit 1 }' "$tmp/state" || refuse "a leaf is not in the ledger"

# 5. and 6. What the leaves say, one line each: folder and name, kind, camera, from, until, then run, sequence and
#    digest of a file, or the cause of a gap.
paste "$tmp/facts" "$tmp/places" | awk -F '\t' -v S="$string" -v N="$whole" '
    function read_body(text,   key, last) { # into body[], its keys in order; returns what stands behind it
        split("", body)
        if (substr(text, 1, 9) != "{\"body\":{") exit 1
        text = substr(text, 9)
        do {
            text = substr(text, 2)
            if (!match(text, "^\"[a-z0-9_]+\":(null|0|-?[1-9][0-9]*|" S ")[,}]")) exit 1
            key = substr(text, 2, index(text, "\":") - 2)
            if (key <= last) exit 1
            last = key; body[key] = substr(text, length(key) + 4, RLENGTH - length(key) - 4)
            text = substr(text, RLENGTH)
        } while (text ~ /^,/)
        return text
    }
    function value(key, form,   found) { # a number, or a string without its quotes
        found = body[key]
        if (found !~ "^" form "$" || found + 0 > 9007199254740991) exit 1
        gsub(/"/, "", found)
        return found
    }
    {
        rest = read_body($2)
        if (rest !~ "^},\"index\":" N ",\"kind\":\"[a-z_]+\",\"recorded_at_us\":" N "}$") exit 1
        split(rest, end, /[:,"}]+/)
        if (end[3] != $3 || end[7] + 0 > 9007199254740991) exit 1
        kind = end[5]; place = $1; sub(/^proof\//, "", place); sub(/\.entry$/, "", place)
        name = place; sub(/.*\//, "", name)
        camera = value("camera_uuid", "\"[0-9a-f-]+\""); from = value("started_at_us", N)
        if (kind == "segment") {
            path = body["path"]; sub(/^.*\//, "", path); sub(/^"/, "", path); sub(/"$/, "", path)
            digest = value("sha256", "\"[0-9a-f]+\""); sequence = value("sequence", N)
            if (path != name || length(digest) != 64) exit 1
            if (name !~ /^[0-9a-f-]+_[0-9a-f-]+_[0-9]+_[0-9]+\.mp4$/) exit 1
            split(name, part, "_")
            if (length(part[1]) != 36 || length(part[2]) != 36 || part[3] !~ "^0*" sequence "$") exit 1
            print place, kind, camera, from, value("ended_at_us", N), part[2], sequence, digest
        } else if (kind == "gap_end" || kind == "gap_open") {
            if (name !~ /^gap-[0-9]+$/) exit 1
            if (kind == "gap_open" && "ended_at_us" in body && body["ended_at_us"] != "null") exit 1
            until = kind == "gap_end" ? value("ended_at_us", N) : "null"
            print place, kind, camera, from, until, "-", 0, value("cause", "\"[a-z_]+\"")
        } else exit 1
    }' >"$tmp/recorded" || refuse "an entry is malformed"

# 5. to 8. delivery.json stands in one form only, one key a line. What it says against the leaves; what it names.
sed 's/^\(.\{64\}\)  data\//\1 /' manifest-sha256.txt >"$tmp/delivered"
: >"$tmp/spans" >"$tmp/holes" >"$tmp/lost"
awk -v recorded="$tmp/recorded" -v delivered="$tmp/delivered" -v to="$tmp" -v S="$string" -v N="$whole" '
    function take(form) { if ((getline line <"delivery.json") <= 0 || line !~ ("^" form "$")) exit 1 }
    function taken(indent, key, form) { # what stands behind a key
        take(substr("     ", 1, indent) "\"" key "\": " form)
        return substr(line, indent + length(key) + 5)
    }
    function text(indent, key,   value) { value = taken(indent, key, S ","); return substr(value, 2, length(value) - 3) }
    function last_text(indent, key,   value) { value = taken(indent, key, S); return substr(value, 2, length(value) - 2) }
    function whole(found) { if (found + 0 > 9007199254740991) exit 1; return found } # what awk counts exactly
    function number(indent, key,   value) { value = taken(indent, key, N ","); return whole(substr(value, 1, length(value) - 1)) }
    function opens(indent, key) { return taken(indent, key, "([[]|[[][]],)") == "[" } # a list with something in it
    function more() { return line ~ /,$/ }
    function name(path) { print path >(to "/named") }
    function leaf(place) { # its fields in fact[]; of this camera, when its uuid is known
        split(said[place], fact, " "); cameras[++uses] = fact[3]
        name("proof/" place ".entry"); name("proof/" place ".tlog-proof")
        print folder "\t" fact[4] "\t" (fact[5] == "null" ? made : fact[5]) "\t" fact[6] "\t" fact[7] >(to "/spans")
    }
    function gap(   cause, from, proof, until) {
        take("    [{]"); cause = text(5, "cause"); from = number(5, "from_us"); proof = text(5, "proof")
        until = taken(5, "until_us", "(null|" N "),"); sub(/,$/, "", until); last_text(5, "words"); take("    [}],?")
        whole(until); leaf(folder "/" proof)
        if (fact[2] != (until == "null" ? "gap_open" : "gap_end")) exit 1
        if (fact[4] != from || fact[5] != until || fact[8] != cause) exit 1
    }
    function file(   name_, state, true, place) {
        take("    [{]"); name_ = text(5, "file"); take("     \"s(ound|tate)\": " S ",")
        if (line ~ /^     "sound"/) { text(5, "sound_codec"); take("     \"state\": " S ",") }
        state = substr(line, 16, length(line) - 17); last_text(5, "words"); take("    [}],?")
        place = folder "/" name_
        leaf(place)
        if (fact[2] != "segment") exit 1
        if (place in digest) { true = digest[place] == fact[8] ? "delivered" : "damaged"; name("data/" place) }
        else true = state == "disposed" ? state : "missing"
        if (state != true) exit 1
        if (state != "delivered") print place ": " state >(to "/lost")
    }
    function hole(   from) {
        take("    [{]"); from = number(5, "from_us")
        if (opens(5, "kinds")) { do take("      " S ",?"); while (more()); take("     []],") }
        print folder "\t" from "\t" number(5, "until_us") >(to "/holes")
        last_text(5, "words"); take("    [}],?")
    }
    function camera(   at, uuid) {
        uses = 0
        take("  [{]"); folder = text(3, "folder")
        if (folder !~ /^camera-[0-9]+$/ || folder in taken_folders) exit 1
        taken_folders[folder]; print folder "\t0\t0\t-\t0" >(to "/spans")
        if (opens(3, "gaps")) { do gap(); while (more()); take("   []],") }
        text(3, "label")
        if (opens(3, "quarantined")) { do take("    " S ",?"); while (more()); take("   []],") }
        text(3, "room")
        if (opens(3, "segments")) { do file(); while (more()); take("   []],") }
        if (opens(3, "unaccounted")) { do hole(); while (more()); take("   []],") }
        uuid = last_text(3, "uuid"); take("  [}],?")
        for (at = 1; at <= uses; at++) if (cameras[at] != uuid) exit 1
    }
    BEGIN {
        while ((getline line <recorded) > 0) { place = line; sub(/ .*/, "", place); said[place] = line }
        while ((getline line <delivered) > 0) digest[substr(line, 66)] = substr(line, 1, 64)
        # made_at_us stands behind the cameras.
        while ((getline line <"delivery.json") > 0) if (line ~ ("^ \"made_at_us\": " N ",$")) made = substr(line, 16) + 0
        close("delivery.json"); made = sprintf("%.0f", made)
        take("[{]"); take(" \"asked_by\": [{]"); text(2, "name"); text(2, "organisation"); text(2, "reason")
        last_text(2, "second_person"); take(" [}],"); take(" \"cameras\": [[]")
        do camera(); while (more())
        take(" []],")
        if (opens(1, "derived")) {
            do {
                take("  [{]"); copy = text(3, "file"); last_text(3, "how"); take("  [}],?"); name(copy)
                if (copy !~ /^data\/derived\//) exit 1
            } while (more())
            take(" []],")
        }
        if (text(1, "format") != "kaochang-delivery/1") exit 1
        from = number(1, "from_us"); number(1, "made_at_us"); number(1, "order"); number(1, "part"); number(1, "parts")
        text(1, "protection"); text(1, "site"); until = number(1, "until_us"); number(1, "whole_from_us")
        whole(taken(1, "whole_until_us", N)); take("[}]")
        if ((getline line <"delivery.json") > 0 || from + 0 >= until + 0) exit 1
        print from, until >(to "/asked")
    }' || refuse "delivery.json contradicts the ledger, or has not the usual form"
printf 'proof/%s\n' checkpoint.note checkpoint.sig checkpoint.txt key.pem >>"$tmp/named"
grep -E '^(data|proof)/' "$tmp/found" >"$tmp/unnamed" || :
sort "$tmp/named" | cmp -s - "$tmp/unnamed" || refuse "delivery.json and the files of the bag differ"

# 7. What of the time asked for neither a file nor a gap explains: exactly what delivery.json says.
sort -t "$tab" -k 1,1 -k 2,2n -k 3,3n -k 4,4 -k 5,5n "$tmp/spans" >"$tmp/laid"
awk -F "$tab" -v asked="$(cat "$tmp/asked")" '
    function hole(from, until) { if (from < until) printf "%s\t%.0f\t%.0f\n", folder, from, until }
    BEGIN { split(asked, of, " "); from = of[1] + 0; until = of[2] + 0 }
    $1 != folder {
        if (folder != "") hole(reached, until)
        folder = $1; reached = from; run = "-"
    }
    {
        is_seam = run != "-" && $4 != "-" && $2 - reached <= 500000 && (run != $4 || $5 == sequence + 1)
        if (!is_seam) hole(reached, $2 + 0 < until ? $2 + 0 : until)
        if ($3 + 0 >= reached) { reached = $3 + 0; run = $4; sequence = $5 }
    }
    END { hole(reached, until) }' "$tmp/laid" >"$tmp/computed"
sort -s -t "$tab" -k 1,1 "$tmp/holes" | cmp -s - "$tmp/computed" ||
    refuse "the time is not accounted for as the bag says: $(cat "$tmp/computed")"
files=$(grep -c ' segment ' "$tmp/recorded" || :)
kept=$((files - $(wc -l <"$tmp/lost")))
echo "$kept 个原始文件与台账一致；缺口记录 $(($(wc -l <"$tmp/recorded") - files)) 个 / original files as recorded, and gaps"
sed 's/^/未能原样交付 \/ not delivered as recorded: /' "$tmp/lost"
sed 's/^/无法说明 \/ unaccounted: /' "$tmp/computed"
clean <bag-info.txt | sed 's/^/  /'

# 9. What follows.
complete=yes
[ ! -s "$tmp/lost" ] && [ ! -s "$tmp/computed" ] || complete=no
[ "$(said Kaochang-Complete)" = $complete ] || refuse "bag-info.txt and the proofs differ"
echo "未证明 / not proved: 时钟正确 / that the site's clock was right;"
echo "  检查点此前未被改写（请与签字纸质检查点核对） / that the ledger was not rewritten before (compare with signed paper)"
if [ -z "$outside" ]; then
    echo "结论：未用外部公钥核对，不能采信 / NOT PROVED: no key from outside the bag was given"
    exit 2
fi
if [ $complete = yes ]; then
    echo "结论：全部成立 / PROVED: all of the above holds"
    exit 0
fi
echo "结论：导出包真实，但有未交付或无法说明的部分 / GENUINE BUT INCOMPLETE, see above"
exit 3
