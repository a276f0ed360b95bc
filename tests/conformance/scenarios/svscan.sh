svscan nonexistent

echo x >file
svscan file

mkdir s; ln -s nowhere s/dangling; ln -s loop s/loop
timeout 1 svscan s 2>err; echo $?; sort err

mkdir s; mkdir s/.hidden; echo x >s/file
timeout 1 svscan s; ls -A s/.hidden

# a log that is a file
mkdir -p s/a; touch s/a/log s/a/down
svscan s 2>err & S=$!
eventually lines 1 err; head -1 err; svc -x s/a; kill $S

mkdir -p s/a; touch s/a/down; ln -s log s/a/log
timeout 1 svscan s

#: differs stderr: ours supervises in its own process and needs no supervise on PATH
mkdir -p s/a; touch s/a/down
PATH=/nonexistent /usr/bin/timeout 1 $FIRST/svscan s

# a service and its log
mkdir -p s/a s/a/log; touch s/a/down s/a/log/down
svscan s & S=$!
eventually svok s/a; eventually svok s/a/log
svstat s/a s/a/log
svc -x s/a s/a/log; kill $S

# a log gets what its service says
mkdir -p s/a/log
service s/a <<'end'
echo hello; exec sleep 1000
end
service s/a/log <<'end'
exec multilog e
end
svscan s 2>err & S=$!
eventually lines 1 err; cat err
rm -r s/a/log/run; svc -dx s/a s/a/log; kill $S

# the qmail way: a user, a label, a selection, a status file
#: needs root
mkdir -p s/a/log; chmod 777 s/a/log; chmod +t s/a
service s/a <<'end'
echo noise; echo 'status: fine'; exec sleep 1000
end
service s/a/log <<'end'
exec setuidgid nobody multilog t ./main '-*' '+* status: *' =status
end
svscan s & S=$!
eventually test -s s/a/log/main/current; eventually grep -q fine s/a/log/status
sed 's/^@[0-9a-f]* //' s/a/log/main/current; stat -c '%U %a' s/a/log/main/current
head -c 40 s/a/log/status | sed 's/^@[0-9a-f]* //'
wc -c <s/a/log/status
svc -dx s/a s/a/log; kill $S

# a new service is found within five seconds, a link to elsewhere as well
mkdir s elsewhere
service elsewhere/a <<'end'
echo found >>../../said; exec sleep 1000
end
svscan s & S=$!
ln -s ../elsewhere/a s/a
eventually lines 1 said; cat said
eventually state s/a ': up'; svstat s/a elsewhere/a
rm s/a; svc -dx elsewhere/a
eventually state elsewhere/a 'not running'; svstat elsewhere/a; kill $S

# two names of one directory are one service
mkdir -p s/a; touch s/a/down; ln -s a s/b
svscan s 2>err & S=$!
eventually svok s/a; svstat s/a s/b
svc -x s/a; kill $S; cat err

# told to go, a service that is still there comes back
mkdir s
service s/a <<'end'
echo started >>../../said; exec sleep 1000
end
svscan s & S=$!
eventually lines 1 said; eventually state s/a ': up'
svc -dx s/a; eventually lines 2 said; eventually state s/a ': up'; svstat s/a
rm -r s/a/run; svc -dx s/a; kill $S

# names that are no text
mkdir s; name=$(printf 's/n\344\377'); mkdir "$name"; touch "$name/down"
svscan s & S=$!
eventually svok "$name"; svstat "$name" | cut -d ' ' -f 1-2 | od -An -c
svc -x "$name"; kill $S

# one svscan takes over what another had been running
mkdir s
service s/a <<'end'
exec sleep 1000
end
$FIRST/svscan s & S=$!
eventually state s/a ': up'; svc -d s/a; eventually state s/a ': down'
kill $S; wait $S 2>/dev/null; svc -x s/a 2>/dev/null; eventually state s/a 'not running'
$SECOND/svscan s & S=$!
eventually state s/a ': up'; svstat s/a
svc -d s/a; eventually state s/a ': down'; svc -x s/a; kill $S

# further arguments are ignored
mkdir s; mkdir -p s/a; touch s/a/down
svscan s nonexistent & S=$!
eventually svok s/a; svstat s/a; svc -x s/a; kill $S

# told to end, C leaves everything running
#: differs stdout: ours stops its services in order, and ends as having done so
mkdir s
service s/a <<'end'
exec sleep 1000
end
svscan s & S=$!
eventually state s/a ': up'; pid=$(svstat s/a | sed 's/.*pid \([0-9]*\).*/\1/')
kill $S; wait $S 2>/dev/null; echo $?
kill -0 $pid 2>/dev/null && echo alive
svc -dx s/a 2>/dev/null

#: needs root
mkdir s; chmod 311 s
setuidgid nobody timeout 1 svscan s

# a log that cannot be looked at
#: needs root
mkdir -p s/a; chmod 600 s/a
setuidgid nobody timeout 1 svscan s 2>&1 | head -n 2
