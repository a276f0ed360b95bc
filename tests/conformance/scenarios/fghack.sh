fghack

fghack ./nonexistent

fghack sh -c 'exit 7'

fghack sh -c 'kill -KILL $$'

fghack sh -c '(sleep 1; echo late) & echo soon; exit 3'

fghack sh -c 'echo data >&3; echo data >&4; echo out'

fghack sh -c 'ls -l /proc/self/fd | grep -c pipe:' </dev/null 2>/dev/null | cat

# which descriptors: the lowest free ones
fghack sh -c 'ls /proc/self/fd' 5</dev/null

# as many as there is room for
(ulimit -n 20; fghack sh -c 'ls /proc/self/fd | wc -l')

# it stays while a descendant keeps one of them, and not longer
fghack bash -c 'for fd in {3..33}; do eval "exec $fd>&-"; done; sleep 30 & echo $! >pid; exit 4'
echo $?; kill $(cat pid) && echo still there

fghack sh -c 'exec sh -c "kill -TERM \$\$"'

# no room for a pipe
(ulimit -n 4; fghack true)

fghack ''

fghack sh -c 'setsid sh -c "sleep 0.5; echo daemon" & exit 0'

# killed, it leaves the child running
fghack sh -c 'echo $$ >pid; exec sleep 30' & hack=$!
eventually test -s pid
kill -TERM $hack; wait $hack
echo $?; kill -0 $(cat pid) && echo alive; kill $(cat pid)

# no process to be had
#: needs root
setuidgid nobody softlimit -p0 fghack true

#: needs root
setuidgid nobody fghack ./nonexistent
