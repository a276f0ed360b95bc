supervise

mkdir a
supervise a b

supervise nonexistent

supervise ''

echo x >file
supervise file

mkdir a; ln -s down a/down
supervise a

mkdir a; mkdir -p a/supervise/lock
supervise a

mkdir a; mkdir -p a/supervise/control
supervise a

#: needs root
mkdir a; mkdir -m 0 a/supervise
setuidgid nobody supervise a

mkdir a; mkdir -p a/supervise/status.new; touch a/down
timeout 1 supervise a

mkdir a; mkdir -p a/supervise/status; touch a/down
timeout 1 supervise a

mkdir a; ln -s x/y a/supervise
supervise a

# a link whose target is missing: the target is made
mkdir a; ln -s ../state a/supervise; touch a/down
supervised a; stat -c '%a %F' state; svc -x a; wait $S

mkdir a; mkdir -p a/supervise/ok; touch a/down
timeout 1 supervise a

supervise "$(printf 'n\344\377')"

# a second one on the same directory
service sv <<'end'
exec sleep 1000
end
touch sv/down
$FIRST/supervise sv & S=$!; eventually svok sv
$SECOND/supervise sv; echo $?
svc -x sv; wait $S

# no run
mkdir a
supervise a 2>err & S=$!
eventually lines 3 err; svc -dx a; wait $S
echo $?; head -3 err

# run is not executable
mkdir a; echo '#!/bin/sh' >a/run
supervise a 2>err & S=$!
eventually lines 2 err; svc -dx a; wait $S
echo $?; head -2 err

# run has an interpreter that does not exist
mkdir a; echo '#!/nonexistent' >a/run; chmod 755 a/run
supervise a 2>err & S=$!
eventually lines 2 err; svc -dx a; wait $S
echo $?; head -2 err

# run is no script
mkdir a; echo 'echo hi' >a/run; chmod 755 a/run
supervise a 2>err & S=$!
eventually lines 2 err; svc -dx a; wait $S
echo $?; head -2 err

# told to go, it goes when the service is down
service sv <<'end'
exec sleep 1000
end
supervised sv
eventually state sv ': up'
svc -dx sv; wait $S; echo $?
svok sv; echo $?

service sv <<'end'
echo hi
end
touch sv/down; supervised sv
svc -ox sv; wait $S

# killed, it leaves the service running
service sv <<'end'
exec sleep 1000
end
supervised sv
eventually state sv ': up'
pid=$(svstat sv | sed 's/.*pid \([0-9]*\).*/\1/')
kill -TERM $S; wait $S; echo $?
kill -0 $pid && echo alive; kill $pid

service sv <<'end'
exec sleep 1000
end
supervised sv
eventually state sv ': up'
kill -HUP $S; wait $S; echo $?
svok sv; echo $?; svstat sv

# what it makes
service sv <<'end'
exec sleep 1000
end
touch sv/down; supervised sv
(cd sv/supervise; stat -c "%A %a %n" . control lock ok status); stat -c %s sv/supervise/status
svc -x sv; wait $S
stat -c "%A %a %n" sv/supervise sv/supervise/*

# the bytes of the status: pid and flags
service sv <<'end'
exec sleep 1000
end
touch sv/down; supervised sv
od -An -tx1 -j12 sv/supervise/status
svc -o sv; eventually state sv ': up'; od -An -tx1 -j16 sv/supervise/status
svc -d sv; eventually state sv ': down'; od -An -tx1 -j12 sv/supervise/status
svc -u sv; eventually state sv ': up'; od -An -tx1 -j16 sv/supervise/status
svc -p sv; eventually state sv paused; od -An -tx1 -j16 sv/supervise/status
svc -c sv; eventually holds sv/supervise/status 16 0075; od -An -tx1 -j16 sv/supervise/status
svc -dx sv; wait $S; od -An -tx1 -j12 sv/supervise/status

# the pid is little-endian, the seconds big-endian
service sv <<'end'
exec sleep 1000
end
supervised sv
eventually state sv ': up'
pid=$(svstat sv | sed 's/.*pid \([0-9]*\).*/\1/')
test $(od -An -tu4 -j12 -N4 sv/supervise/status) = $pid && echo pid
cat /proc/$pid/comm
od -An -tx1 -N3 sv/supervise/status
svc -dx sv; wait $S

# x beats wanted up: the next death is the end
service sv <<'end'
exec sleep 1000
end
supervised sv
eventually state sv ': up'
svc -x sv; svc -t sv; wait $S; echo $?
od -An -tx1 -j12 sv/supervise/status

# paused while down: remembered, and cleared by the next start
service sv <<'end'
exec sleep 1000
end
touch sv/down; supervised sv
svc -p sv; eventually holds sv/supervise/status 16 0064; svstat sv
svc -u sv; eventually state sv ': up'; svstat sv
svc -dx sv; wait $S

# the time stays when only the flags change
service sv <<'end'
exec sleep 1000
end
supervised sv
eventually state sv ': up'
head -c 12 sv/supervise/status >before
svc -p sv; eventually state sv paused
svc -c sv; eventually holds sv/supervise/status 16 0075
head -c 12 sv/supervise/status | cmp - before && echo same
svc -dx sv; wait $S

# unknown bytes are ignored
service sv <<'end'
exec sleep 1000
end
supervised sv
eventually state sv ': up'
printf 'zZ1\377\n' >sv/supervise/control; svc -p sv; eventually state sv paused; svstat sv
svc -dx sv; wait $S

# a restart: another pid, and at least a second after the one before
service sv <<'end'
date +%s%N >>times
exit 3
end
supervised sv; eventually lines 4 sv/times
svc -dx sv; wait $S
head -4 sv/times | { read last; while read time; do test $((time - last)) -gt 900000000 && echo paused; last=$time; done; }

# what run is started with
service sv <<'end'
echo "$0" $# $(pwd | sed 's,.*/,,') $MARK
ls /proc/self/fd
read pid comm st pp pgrp sid x </proc/$$/stat; test $pid = $pgrp || echo same group
grep SigBlk /proc/self/status; sed -n 's/SigIgn:.*\(.......\)$/ignored: \1/p' /proc/self/status
: >done
exec sleep 1000
end
export MARK=kept; supervise sv 4</dev/null & S=$!; eventually test -e sv/done
svc -dx sv; wait $S

# signals 32 and 33, which are the C library's own
#: differs stdout: the C library's posix_spawn leaves its two internal signals ignored, fork and exec do not
service sv <<'end'
grep SigIgn /proc/self/status
: >done
exec sleep 1000
end
supervised sv; eventually test -e sv/done
svc -dx sv; wait $S

# the environment of run, byte for byte and in order
service sv <<'end'
exec sleep 1000
end
env -i B=2 A=1 PATH="$PATH" "N=$(printf '\344\377')" SCENARIO="$SCENARIO" EMPTY= supervise sv & S=$!; eventually state sv ': up'
eventually grep -q sleep /proc/$(svstat sv | sed 's/.*pid \([0-9]*\).*/\1/')/comm
tr '\0' '\n' </proc/$(svstat sv | sed 's/.*pid \([0-9]*\).*/\1/')/environ | grep -av -e ^PATH -e ^SCENARIO -e ^PWD
svc -dx sv; wait $S

# changing run: never in place
service sv <<'end'
echo one >>../said; exec sleep 1000
end
supervised sv
eventually state sv ': up'
eventually lines 1 said
printf '#!/bin/sh\necho two >>../said; exec sleep 1000\n' >sv/run.new; chmod 755 sv/run.new
mv sv/run.new sv/run && svc -t sv
eventually lines 2 said; cat said
svc -dx sv; wait $S

# down and up again, in order
service sv <<'end'
exec sleep 1000
end
supervised sv
eventually state sv ': up'
svc -d sv; eventually state sv ': down'
svc -u sv; eventually state sv ': up'; svstat sv
svc -dx sv; wait $S

# a supervise takes over a directory that another left
service sv <<'end'
exec sleep 1000
end
$FIRST/supervise sv & S=$!; eventually state sv ': up'
svc -dx sv; wait $S
$SECOND/supervise sv & S=$!; eventually state sv ': up'; svstat sv
svc -dx sv; wait $S; echo $?

# no process to be had: a warning, and some patience
#: needs root
#: differs stdout: ours tries again after a second, not after a minute, and says so
service a <<'end'
exec sleep 1000
end
chmod 777 a; setuidgid nobody softlimit -p0 supervise a 2>err & S=$!
eventually lines 1 err; cat err; kill $S

# nor a first one of the directory's own
#: needs root
mkdir a; chmod 555 a
setuidgid nobody supervise a

# a control that may not be read
#: needs root
mkdir -m 777 a; mkdir -m 777 a/supervise; mkfifo -m 200 a/supervise/control; touch a/down
setuidgid nobody supervise a

#: needs root
mkdir -m 777 a; mkdir -m 777 a/supervise; mkfifo -m 444 a/supervise/control; touch a/down
setuidgid nobody supervise a

#: needs root
mkdir -m 777 a; mkdir -m 777 a/supervise; mkfifo -m 200 a/supervise/ok; touch a/down
setuidgid nobody supervise a

# bytes that mean something to other supervises
service sv <<'end'
for name in QUIT USR1 USR2 WINCH HUP TERM; do trap "echo $name >>got" $name; done
: >ready
while :; do sleep 0.02; done
end
supervise sv & S=$!
eventually test -e sv/ready
printf 'q12wlt' >sv/supervise/control; eventually lines 1 sv/got
svc -x sv; svc -k sv
wait $S; echo $?
cat sv/got
