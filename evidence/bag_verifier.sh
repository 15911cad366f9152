#!/bin/sh
# 核验取证导出包 / Checks a footage bag with sha256sum, awk and openssl 3 alone; no network.
#
#   sh verify.sh [BAG] --key site.pem | --fingerprint HEX
#
# The key or its fingerprint must come from outside the bag. Exit status: 0 all holds; 1 refused; 2 wrong use or no
# key from outside; 3 genuine, but the bag names parts that it does not deliver. Every file is covered by the
# signature; every original is the one of its ledger leaf; every leaf is under the signed checkpoint. That the
# stretches of time join without a hole is computed by verify.py; here it is the signed word of the site.
set -eu
LC_ALL=C
export LC_ALL
umask 077

exec 3>&1
refuse() { echo "结论：不予采信 / REFUSED: $*" >&3; exit 1; }
usage() { echo "用法 / usage: sh verify.sh [BAG] --key site.pem | --fingerprint HEX"; exit 2; }
raw_key() { # the 32 bytes of an Ed25519 public key
    openssl pkey -pubin -in "$1" -outform DER >"$tmp/der" 2>/dev/null || refuse "not a public key: $1"
    [ "$(head -c 12 "$tmp/der" | od -An -v -tx1 | tr -d ' \n')" = 302a300506032b6570032100 ] || refuse "not Ed25519: $1"
    [ "$(wc -c <"$tmp/der")" -eq 44 ] || refuse "not Ed25519: $1"
    tail -c 32 "$tmp/der"
}
check_signature() { # file, signature
    openssl pkeyutl -verify -pubin -inkey proof/key.pem -rawin -in "$1" -sigfile "$2" >/dev/null 2>&1 </dev/null ||
        refuse "bad signature: $1"
}

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

# 1. Every file stands in one manifest, with its digest.
[ -z "$(find . ! -type f ! -type d)" ] || refuse "links or special files in the bag"
printf 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n' | cmp -s - bagit.txt || refuse "bagit.txt"
for manifest in manifest-sha256.txt tagmanifest-sha256.txt; do
    [ -f $manifest ] || refuse "missing: $manifest"
    if grep -Evq '^[0-9a-f]{64}  [^\\]+$' $manifest; then refuse "malformed: $manifest"; fi
    # No original at all: everything asked for was a recorded gap, or disposed. sha256sum has a dislike of that.
    [ -s $manifest ] || continue
    sha256sum -c $manifest >"$tmp/sums" 2>&1 </dev/null || refuse "$(grep -v ': OK$' "$tmp/sums" | head -n 1)"
done
find . -type f | sed 's|^\./||' | sort >"$tmp/found"
{
    sed 's/^.\{66\}//' manifest-sha256.txt tagmanifest-sha256.txt
    printf 'tagmanifest-sha256.txt\ntagmanifest-sha256.txt.sig\n'
} | sort >"$tmp/listed"
cmp -s "$tmp/found" "$tmp/listed" || refuse "files and manifests differ"
echo "完整：$(wc -l <"$tmp/found") 个文件与清单一致 / every file is listed and has its digest"

# 2. The signature over all of them, by the key known from outside.
raw_key proof/key.pem >"$tmp/raw"
fingerprint=$(sha256sum <"$tmp/raw" | cut -c1-64)
[ -z "$outside" ] || [ "$outside" = "$fingerprint" ] || refuse "signed by another key: $fingerprint"
check_signature tagmanifest-sha256.txt tagmanifest-sha256.txt.sig
echo "签名有效，公钥指纹 $fingerprint / the signature covers every file of the bag"

# 3. The signed checkpoint of the ledger.
check_signature proof/checkpoint.txt proof/checkpoint.sig
[ "$(wc -l <proof/checkpoint.txt)" -eq 3 ] || refuse "malformed checkpoint"
origin=$(sed -n 1p proof/checkpoint.txt) size=$(sed -n 2p proof/checkpoint.txt)
[ "$origin" = "kaochang/footage/$(printf %.16s "$fingerprint")" ] || refuse "foreign checkpoint"
case $size in '' | *[!0-9]*) refuse "malformed checkpoint" ;; esac
key_id=$({ printf '%s\n\001' "$origin"; cat "$tmp/raw"; } | sha256sum | cut -c1-8 | sed 's/../0x& /g')
# shellcheck disable=SC2046,SC2059,SC2086
printf "$(printf '\\%03o' $key_id)" >"$tmp/line"
cat proof/checkpoint.sig >>"$tmp/line"
{
    cat proof/checkpoint.txt
    printf '\n— %s %s\n' "$origin" "$(openssl base64 -A -in "$tmp/line")"
} | cmp -s - proof/checkpoint.note || refuse "the checkpoint's note and its parts differ"
root=$(sed -n 3p proof/checkpoint.txt | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
echo "台账检查点：$size 条，$origin / ledger checkpoint, root $root"

# 4. Every leaf under the checkpoint: one round for each level of the tree, all leaves of the bag at once.
find proof -name '*.entry' | sort >"$tmp/entries"
[ "$(find proof -name '*.tlog-proof' | sed 's/tlog-proof$/entry/' | sort | cmp - "$tmp/entries" 2>&1)" = "" ] ||
    refuse "entries and proofs differ"
mkdir "$tmp/n"
number=0
: >"$tmp/leaves"
: >"$tmp/facts"
while IFS= read -r entry; do
    number=$((number + 1))
    # An entry is one line without its end.
    if IFS= read -r line <"$entry"; then refuse "an entry is malformed: $entry"; fi
    printf '\000%s' "$line" >"$tmp/n/$number"
    printf '%s\t%s\n' "$entry" "$line" >>"$tmp/facts"
    printf '%s\n' "${entry%.entry}.tlog-proof" >>"$tmp/leaves"
done <"$tmp/entries"
# Prints: number, index, last index, and the hashes of the path in hex. Fails on the slightest disorder.
awk -v size="$size" -v note=proof/checkpoint.note '
    function hex(text,   bits, held, at, value, made) {
        if (length(text) != 44 || substr(text, 44) != "=") exit 1
        for (at = 1; at <= 43; at++) {
            value = index("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", substr(text, at, 1)) - 1
            if (value < 0) exit 1
            held = held * 64 + value; bits += 6
            while (bits >= 4) {
                bits -= 4; made = made sprintf("%x", int(held / 2 ^ bits)); held %= 2 ^ bits
            }
        }
        return substr(made, 1, 64)
    }
    BEGIN { while ((getline line <note) > 0) want[++wanted] = line }
    {
        path = $0; at = 0; made = ""; phase = 0; seen = 0
        while ((getline line <path) > 0) {
            at++
            if (at == 1) { if (line != "c2sp.org/tlog-proof@v1") exit 1 }
            else if (at == 2) { if (line !~ /^index [0-9]+$/) exit 1; leaf = substr(line, 7) }
            else if (!phase && line == "") phase = 1
            else if (!phase) made = made " " hex(line)
            else if (line != want[++seen]) exit 1
        }
        close(path)
        if (!phase || seen != wanted || leaf + 0 >= size + 0) exit 1
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
                    while (place && place % 2 == 0) { place /= 2; last /= 2; last = int(last) }
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

# 5. Every original is the one that its leaf describes; index and name agree.
paste "$tmp/facts" "$tmp/places" >"$tmp/all"
awk -F '\t' '
    {
        if (!match($2, /},"index":[0-9]+,"kind":"[a-z_]+","recorded_at_us":[0-9]+}$/)) exit 1
        end = substr($2, RSTART, RLENGTH)
        if (index(end, "},\"index\":" $3 ",") != 1) exit 1
        file = $1; sub(/^proof\//, "data/", file); sub(/\.entry$/, "", file)
        if (end ~ /"kind":"segment"/) {
            name = file; sub(/.*\//, "", name)
            if (!match($2, /,"sha256":"[0-9a-f]+"/)) exit 1
            digest = substr($2, RSTART + 11, 64)
            if (!index($2, "/" name "\"")) exit 1
            print digest "  " file
        } else if (end !~ /"kind":"gap_(open|end)"/) exit 1
    }' "$tmp/all" >"$tmp/segments" || refuse "an entry is malformed"
sort "$tmp/segments" >"$tmp/recorded"
grep -v '^.\{64\}  data/derived/' manifest-sha256.txt | sort >"$tmp/delivered" || :
sed 's/^.\{66\}//' "$tmp/recorded" | sort >"$tmp/names"
[ -z "$(sed 's/^.\{66\}//' "$tmp/delivered" | sort | comm -13 "$tmp/names" -)" ] || refuse "an original without a leaf"
comm -23 "$tmp/recorded" "$tmp/delivered" | sed 's/^.\{66\}//' >"$tmp/lost"
kept=$(comm -12 "$tmp/recorded" "$tmp/delivered" | wc -l)
gaps=$(($(wc -l <"$tmp/entries") - $(wc -l <"$tmp/recorded")))
echo "$kept 个原始文件与台账一致；缺口记录 $gaps 个 / original files as recorded; $gaps recorded gaps"
sed 's/^/未能原样交付 \/ not delivered as recorded: /' "$tmp/lost"
sed 's/^/  /' bag-info.txt

# 6. What follows.
echo "未证明 / not proved: 时钟正确 / the site's clock; 时间连续性（见 verify.py） / continuity of time, see verify.py;"
echo "  检查点此前未被改写（请与签字纸质检查点核对） / that the ledger was not rewritten before (compare with signed paper)"
if [ -z "$outside" ]; then
    echo "结论：未用外部公钥核对，不能采信 / NOT PROVED: no key from outside the bag was given"
    exit 2
fi
[ "$(grep -c '^Kaochang-Complete:' bag-info.txt)" -eq 1 ] || refuse "bag-info.txt contradicts itself"
if grep -qx 'Kaochang-Complete: yes' bag-info.txt; then
    [ ! -s "$tmp/lost" ] || refuse "the bag says it is complete, and is not"
    echo "结论：全部成立 / PROVED: all of the above holds"
    exit 0
fi
echo "结论：导出包真实，但有未交付或无法说明的部分 / GENUINE BUT INCOMPLETE: see delivery.json"
exit 3
