# arguments, lines, patterns, and what a log directory looks like before and after

printf 'one\ntwo' | multilog

printf 'one\ntwo' | multilog e

printf 'one\ntwo\n' | multilog e e

printf 'one\ntwo\n' | multilog '-*' '+one' e

printf '\nx\n' | multilog '-' e

printf '\nx\n' | multilog '-*' '+' e

echo aXYc | multilog '-*' '+a*c' e

echo acbc | multilog '-*' '+a*c' e

echo acbc | multilog '-*' '+a*cbc' e

printf 'a*b\nab\n' | multilog '-*' '+**' e

echo hi | multilog t e

echo hi | multilog x t e

echo 'a b' | multilog t '-*' '+* a b' e

head -c 200 /dev/zero | tr '\0' y | multilog e 2>&1 | wc -c

head -c 201 /dev/zero | tr '\0' y | multilog e 2>&1 | tail -c 8

head -c 1500 /dev/zero | tr '\0' y | multilog =s; wc -c <s; stat -c %a s

printf 'one\ntwo\n' | multilog =s; head -c 8 s

head -c 3000 /dev/zero | tr '\0' Q >s; echo hi | multilog =s; wc -c <s; tail -c +1000 s | head -c 4

echo x | multilog ./d/e

echo x >f; echo x | multilog ./f

echo x | multilog ./log ./log

echo x | multilog =no/s

mkdir d
echo x | multilog =d

echo x | multilog =

mkdir -p log/current
echo x | multilog ./log

mkdir -p log/state
echo x | multilog ./log

#: needs root
mkdir log; chmod 0 log
echo x | setuidgid nobody multilog ./log

#: differs exit stderr: the interpreter itself refuses a directory as standard input
multilog e </

multilog e <&-

mkfifo in; $FIRST/multilog ./log <in & M=$!
exec 8>in; eventually test -e log/current
echo x | $SECOND/multilog ./log; echo $?
exec 8>&-; wait $M

echo x | multilog ./log; list

(mkdir -m 700 log; cd log; echo old >current; chmod 744 current; echo st >state)
echo new | multilog n3 ./log; list

(mkdir -m 700 log; cd log; printf half >current; chmod 744 current; : >state)
echo new | multilog n3 ./log; list

(mkdir -m 700 log; cd log; echo old >current; chmod 644 current; echo st >state)
echo new | multilog n3 ./log; list

(mkdir -m 700 log; cd log; : >current; chmod 644 current)
echo new | multilog n3 ./log; list

(mkdir -m 700 log; cd log; echo prev >previous; echo cur >current; chmod 644 current)
echo new | multilog n3 ./log; list

(mkdir -m 700 log; cd log; echo prev >previous; echo proc >processed; chmod 644 processed; : >current; chmod 644 current; echo n >newstate)
echo new | multilog n3 ./log; list

(mkdir -m 700 log; cd log; echo prev >previous; echo proc >processed; chmod 744 processed; : >current; chmod 644 current; echo n >newstate)
echo new | multilog n3 ./log; list

(mkdir -m 700 log; cd log; echo prev >previous; ln previous @400000003b4a39c23294b13c.s; : >current; chmod 644 current)
echo new | multilog n3 ./log; list

(mkdir -m 700 log; cd log; for i in 1 2 3 4; do echo $i >@400000003b4a39c23294b13$i.s; done; echo old >current; chmod 644 current)
echo new | multilog n3 ./log; list

(mkdir -m 700 log; cd log; for i in 1 2 3 4; do echo $i >@400000003b4a39c23294b13$i.s; done; echo old >current; chmod 744 current; : >state)
echo new | multilog n3 ./log; list

head -c 3000 /dev/zero | tr '\0' y | multilog s4096 ./log; list

for i in 1 2 3; do head -c 3000 /dev/zero | tr '\0' $i | multilog s4096 n3 '!n=$(cat <&4)y; echo $n >&5; echo run $n; wc -c' ./log; done; list

head -c 3000 /dev/zero | tr '\0' y | multilog s4096 '!test -e flag || { : >flag; exit 3; }; cat' ./log; list

head -c 3000 /dev/zero | tr '\0' y | multilog s4096 '!test -e flag || { : >flag; kill -9 $$; }; cat' ./log; list

# signals

mkfifo in; multilog ./log <in & M=$!
exec 8>in; echo one >&8; eventually test -s log/current
kill -ALRM $M; eventually sh -c 'ls log | grep -q @'
echo two >&8; eventually test -s log/current
exec 8>&-; wait $M; echo $?; list

# TERM: to the end of the line that has begun, and not a byte further
mkfifo in; exec 9<>in; multilog ./log <in & M=$!
printf 'one\nhal' >&9; eventually test -s log/current
kill -TERM $M; sleep 0.5; kill -0 $M && echo still there
printf 'f\nmore\n' >&9; wait $M; echo $?; list
timeout 1 head -n 1 <&9

# TERM between lines
mkfifo in; exec 9<>in; multilog ./log <in & M=$!
echo one >&9; eventually test -s log/current
kill -TERM $M; wait $M; echo $?; list

# TERM before any input
mkfifo in; exec 9<>in; multilog ./log <in & M=$!
eventually test -e log/current
kill -TERM $M; wait $M; echo $?; list

mkfifo in; exec 9<>in; multilog ./log <in & M=$!
echo one >&9; eventually test -s log/current
kill -HUP $M; wait $M; echo $?; list

mkfifo in; exec 9<>in; multilog ./log <in & M=$!
echo one >&9; eventually test -s log/current
kill -KILL $M; wait $M; echo $?; echo two | multilog ./log; list

# lines

seq 1 5000 | multilog n100 ./log; cat log/@* log/current | cmp - - && cat log/@* log/current | md5sum

# the 1000 bytes that a pattern sees
{ head -c 1000 /dev/zero | tr '\0' a; echo b; } | multilog '-*b' ./log; list

{ head -c 999 /dev/zero | tr '\0' a; echo b; } | multilog '-*b' ./log; list

{ head -c 970 /dev/zero | tr '\0' a; printf 'bbbb'; echo c; } | multilog t '-*c' ./log; wc -c <log/current

# NUL and other bytes
printf 'a\0b\377\n\r\n' | multilog ./log; od -An -c log/current

# no line end at the end of input, label and all
printf 'x' | multilog t ./log; sed 's/^@[0-9a-f]*/label/' log/current

# two directories with a selection each
seq 1 30 | multilog '-*' '+*1*' ./ones '-*' '+*2*' ./twos; cat ones/current; echo; cat twos/current

# sizes and numbers out of range
head -c 3000 /dev/zero | tr '\0' y | multilog s1 n0 ./log; list

for i in 1 2 3 4; do head -c 3000 /dev/zero | tr '\0' $i | multilog s4096 n3 ./log; done; list

yes 0123456789012345678901234567890123456789012345678 | head -n 400 | multilog s4096 n20 ./log
for file in log/@*; do size=$(stat -c %s $file); test $size -le 4096 && test $size -ge 2096 && echo right; done | uniq
cat log/@* log/current | wc

multilog s99999999999999999999999x n18446744073709551618 '' '*' unknown x=y e <<'end'
line
end

# a directory outside, absolute and dotted
mkdir d; echo x | multilog "$PWD/d/log" ./d/../other .hidden; ls -A . d; cat d/log/current other/current .hidden/current

# bytes that are no text
echo x | multilog "./$(printf 'n\344\377')" "=$(printf 's\344')" "+$(printf '\344')*"; ls | od -An -c

printf '\344\303\244\n' | multilog '-*' "+$(printf '\344')*" e | od -An -c

# a processor: what it is started with
head -c 3000 /dev/zero | tr '\0' y | MARK=kept multilog s4096 '!echo $0 $# $MARK; umask; pwd | sed s,.*/,,; ls /proc/self/fd; grep -E "^Sig(Blk|Ign)" /proc/self/status | sed "s/0000000[0-9a-f]0000000$/0/"' ./log; cat log/@*

# its output replaces the log, its state is kept
for i in 1 2 3; do head -c 3000 /dev/zero | tr '\0' y | multilog s4096 '!wc -c; { cat <&4; echo turn; } >&5' ./log; done; cat log/@*; cat log/state; list

# trouble that goes away: a directory in the way of a file
mkfifo in; multilog ./log <in 2>err & M=$!
exec 8>in; echo one >&8; eventually test -s log/current
mkdir -p log/previous/x; kill -ALRM $M
eventually lines 1 err; rm -r log/previous
exec 8>&-; wait $M; echo $?; sort -u err; list

# a full disk
#: needs root
mkdir small; cat >inside <<'end'
mount -t tmpfs -o size=16k,mode=755 none small
mkfifo in; multilog ./small/log <in 2>err & M=$!
exec 8>in; eventually test -e small/log/current
head -c 40000 /dev/zero >small/filler 2>/dev/null
echo line >&8; eventually lines 1 err
rm small/filler; exec 8>&-; wait $M; echo $?; sort -u err; cat small/log/current
end
unshare --mount sh -c '. "$PRELUDE"; . ./inside'

# start-up errors

mkdir -p log/state; touch log/current; chmod 744 log/current
echo x | multilog ./log; list

mkdir -p log; ln -s loop log/loop; ln -s ../log/loop log/current
echo x | multilog ./log

mkdir -p log/lock
echo x | multilog ./log

#: needs root
mkdir log; chmod 755 log
echo x | setuidgid nobody multilog ./log

#: needs root
echo x | setuidgid nobody multilog ./log

# one hands a directory to the other, and back, in every state a crash can leave

for turn in 1 2 3 4; do
	seq $turn 700 | $FIRST/multilog t s4096 n99 ./log; seq $turn 700 | $SECOND/multilog t s4096 n99 ./log
done
cat log/@* log/current | sed 's/^@[0-9a-f]* //' | md5sum; list | cut -d ' ' -f 1-2 | sort -u

for turn in 1 2 3; do
	head -c 3000 /dev/zero | tr '\0' $turn | $FIRST/multilog s4096 n4 '!wc -c; { cat <&4; echo a; } >&5' ./log
	head -c 3000 /dev/zero | tr '\0' $turn | $SECOND/multilog s4096 n4 '!wc -c; { cat <&4; echo b; } >&5' ./log
done
cat log/@*; tr '\n' ' ' <log/state; list

# killed in the middle of a line
mkfifo in; exec 9<>in
$FIRST/multilog ./log <in & M=$!
printf 'one\ntwo\nthr' >&9; eventually grep -q two log/current; kill -KILL $M; wait $M
$SECOND/multilog ./log <in & M=$!
printf 'ee\nfour\n' >&9; eventually grep -q four log/current; kill -TERM $M; wait $M
$FIRST/multilog ./log <in & M=$!
printf 'five\n' >&9; eventually grep -q five log/current; kill -TERM $M; wait $M
list

# a clean end
(mkdir -m 700 log; cd log; echo old >current; chmod 744 current; echo st >state)
echo new | multilog n3 '!cat; cat <&4 >&5' ./log; echo $?; list

# half a line
(mkdir -m 700 log; cd log; printf half >current; chmod 744 current; : >state)
echo new | multilog n3 '!cat; cat <&4 >&5' ./log; echo $?; list

# a crash while writing
(mkdir -m 700 log; cd log; echo old >current; chmod 644 current; echo st >state)
echo new | multilog n3 '!cat; cat <&4 >&5' ./log; echo $?; list

# a crash before the new current
(mkdir -m 700 log; cd log; echo prev >previous; chmod 744 previous; : >state)
echo new | multilog n3 '!cat; cat <&4 >&5' ./log; echo $?; list

# a crash between renaming and changing modes
(mkdir -m 700 log; cd log; echo prev >previous; chmod 644 previous; : >current; chmod 644 current; : >state)
echo new | multilog n3 '!cat; cat <&4 >&5' ./log; echo $?; list

# a crash in the processor
(mkdir -m 700 log; cd log; echo prev >previous; chmod 744 previous; echo half >processed; echo n >newstate; echo cur >current; chmod 644 current; echo o >state)
echo new | multilog n3 '!cat; cat <&4 >&5' ./log; echo $?; list

# a crash after the processor
(mkdir -m 700 log; cd log; echo prev >previous; chmod 744 previous; echo proc >processed; chmod 744 processed; echo n >newstate; echo cur >current; chmod 644 current; echo o >state)
echo new | multilog n3 '!cat; cat <&4 >&5' ./log; echo $?; list

# a crash after linking
(mkdir -m 700 log; cd log; echo prev >previous; chmod 744 previous; ln previous @400000003b4a39c23294b13c.s; echo cur >current; chmod 644 current)
echo new | multilog n3 '!cat; cat <&4 >&5' ./log; echo $?; list

# a processed linked
(mkdir -m 700 log; cd log; echo proc >processed; chmod 744 processed; ln processed @400000003b4a39c23294b13c.s; echo cur >current; chmod 644 current)
echo new | multilog n3 '!cat; cat <&4 >&5' ./log; echo $?; list

# nothing but a lock
(mkdir -m 700 log; cd log; : >lock; chmod 600 lock)
echo new | multilog n3 '!cat; cat <&4 >&5' ./log; echo $?; list

# the same, left by the one for the other
mkfifo in; exec 9<>in
$FIRST/multilog s4096 '!sleep 5; cat' ./log <in & M=$!
yes line | head -c 3000 >&9; eventually test -e log/processed; kill -KILL $M; wait $M
echo new | $SECOND/multilog ./log; list

# a processor that cannot have its files
mkfifo in; multilog '!cat' ./log <in 2>err & M=$!
exec 8>in; echo one >&8; eventually test -s log/current
rm log/state; kill -ALRM $M
eventually lines 2 err; : >log/state
exec 8>&-; wait $M; echo $?; sort -u err; list

# a directory that is gone is written to still, in its way
mkfifo in; multilog ./log <in 2>err & M=$!
exec 8>in; echo one >&8; eventually test -s log/current
mv log gone; echo two >&8; eventually grep -q two gone/current
kill -ALRM $M; eventually sh -c 'ls gone | grep -q @'
exec 8>&-; wait $M; echo $?; list gone

# what a status file cannot take
#: needs root
: >s; chmod 444 s
echo x | setuidgid nobody multilog =s

echo x | multilog =/dev/full & M=$!
sleep 0.5; kill -KILL $M; wait $M
