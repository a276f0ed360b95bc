# labels and their local time

printf 'one\ntwo\n' | tai64n

printf 'a\n\nb' | tai64n

tai64n

echo x | tai64n >/dev/full

#: differs exit stderr: the interpreter itself refuses a directory as standard input
tai64n </

tai64n <&-

echo x | tai64n ignored --args

echo '@4000000037c219bf2ef02e94 hello' | tai64nlocal

echo '@4000000037c219bf2ef02e94' | tai64nlocal

printf '@4000000037c219bf2ef02e94' | tai64nlocal

printf '@4000000037c219bf2ef02e94 partial' | tai64nlocal

echo 'no stamp' | tai64nlocal

echo 'x@4000000037c219bf2ef02e94' | tai64nlocal

echo ' @4000000037c219bf2ef02e94' | tai64nlocal

echo '@4000000037c219bf2ef02e94@4000000037c219bf2ef02e94' | tai64nlocal

echo '@4000000037c219bf2ef02e94xyz' | tai64nlocal

echo '@4000000037c219bf2ef02e94ABC' | tai64nlocal

echo '@400000000000000a00000000 epoch' | tai64nlocal

echo '@4000000000000009ffffffff x' | tai64nlocal

echo '@3fffffffffffffff00000000 x' | tai64nlocal

echo '@04000000037c219bf2ef02e94 13+ digits' | tai64nlocal

echo '@40000000ffffffff00000000 x' | tai64nlocal

echo '@4000003afff4418a00000000 x' | tai64nlocal

echo '@4000000037c219bf2ef02e94 x' | TZ=America/New_York tai64nlocal

echo '@4000000037c219bf2ef02e94 x' | TZ=Asia/Kolkata tai64nlocal

#: differs exit stdout stderr: the C program dies of SIGSEGV outside the calendar; ours copies the line
echo '@abc' >in
tai64nlocal <in

#: differs exit stdout stderr: the C program dies of SIGSEGV outside the calendar; ours copies the line
echo '@4000000037C219BF2EF02E94 upper case' >in
tai64nlocal <in

#: differs exit stdout stderr: the C program dies of SIGSEGV outside the calendar; ours copies the line
echo '@' >in
tai64nlocal <in

printf '@' | tai64nlocal

echo x | tai64nlocal >/dev/full

#: differs exit stderr: the interpreter itself refuses a directory as standard input
tai64nlocal </

tai64nlocal

date | tai64n | tai64nlocal | sed 's/[0-9]/N/g; s/  */ /g; s/ [A-Z].*//'

# the label is a stamp of now
TZ=UTC; export TZ; before=$(date '+%F %T'); stamp=$(echo | tai64n | tai64nlocal | cut -c 1-19); after=$(date '+%F %T')
test "$(printf '%s\n' "$before" "$stamp" "$after" | sort)" = "$(printf '%s\n' "$before" "$stamp" "$after")"; echo $?

date | sh -c 'multilog t e 2>&1' | tai64nlocal | sed 's/[0-9]/N/g; s/  */ /g; s/ [A-Z].*//'

# lines appear as soon as they are read
mkfifo in; tai64n <in >out & T=$!
exec 8>in; printf 'par' >&8; eventually grep -q par out; cat out; echo
printf 'tial\n' >&8; eventually grep -q partial out; cat out
exec 8>&-; wait $T

mkfifo in; tai64nlocal <in >out & T=$!
exec 8>in; printf '@4000000037c219bf2ef02e94 par' >&8; eventually grep -q par out; cat out; echo
printf 'tial\n@40000000' >&8; eventually grep -q partial out; cat out
printf '37c219bf2ef02e94 split\n' >&8; eventually grep -q split out; cat out
exec 8>&-; wait $T

# a reader that goes away ends the writer as a signal would
mkfifo out; head -n 1 out | sed 's/^@[0-9a-f]* //' & H=$!
yes | tai64n >out; code=$?; wait $H; echo $code

mkfifo out; head -n 1 out & H=$!
yes | tai64nlocal >out; code=$?; wait $H; echo $code

# bytes that are no text
printf 'a\0b\377\r\n' | tai64n | sed 's/^@[0-9a-f]* //' | od -An -c

printf '@4000000037c219bf2ef02e94\0\377\n' | tai64nlocal | od -An -c

tai64nlocal <&-

seq 1 20000 | tai64n | tai64nlocal | sed 's/^....-..-.. ..:..:..\.......... //' | md5sum

for zone in Asia/Tokyo Europe/Berlin America/St_Johns Africa/Monrovia Pacific/Apia; do
	for label in 4000000037c219bf2ef02e94 400000003ab7f2b400000000 40000000000000aa3b9ac9ff 3fffffff80000000075bcd15 40000000600000003ade68b1; do
		echo "@$label" | TZ=$zone tai64nlocal
	done
done

echo '@4000000037c219bf2ef02e94' | TZ=nonsense tai64nlocal

echo '@4000000037c219bf2ef02e94' | TZ=JST-9 tai64nlocal
