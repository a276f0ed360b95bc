setlock

setlock f

setlock -z f true

setlock -n

setlock f echo ok

setlock d/f echo no

setlock -x d/f echo no

setlock -xX d/f echo no

setlock / true

setlock -x / true

setlock f ./nonexistent

setlock -x f ./nonexistent

setlock -n f setlock -n f echo no

setlock -n f setlock -nx f echo no

setlock f sh -c 'setlock -n f echo one; echo $?'

umask 0; echo kept >g
setlock g cat g; setlock f true; stat -c %a f g

setlock f sh -c 'sleep 1 & exit 0'; setlock -n f echo no; sleep 1.3; setlock -n f echo yes

mkfifo q
setlock q true

setlock '' true

setlock --help

setlock -- f echo ok

# the lock of one keeps the other out
$FIRST/setlock f $SECOND/setlock -n f echo no

$FIRST/setlock f $SECOND/setlock -xn f echo no
echo $?

# waiting: the second gets it when the first is done
mkfifo go
$FIRST/setlock f sh -c 'echo first >>order; echo locked >go; sleep 0.3; echo done >>order' &
read line <go
$SECOND/setlock f sh -c 'echo second >>order'
cat order

# the descriptor that is inherited: lowest free, for appending, not blocking
setlock f sh -c 'echo x >&3; cat /proc/self/fdinfo/3 | grep flags; ls /proc/self/fd' && cat f

setlock f sh -c 'ls -l /proc/self/fd | sed -n "s,.*/,,p"' 4</dev/null 3</dev/null | sort

setlock f setlock g sh -c 'readlink /proc/self/fd/3 /proc/self/fd/4 | sed "s,.*/,,"'

# the last of -n -N, -x -X counts
setlock f setlock -nx f echo no
echo $?

setlock -nNf f true

setlock -xXn d/f true

setlock -Xx d/f true
echo $?

# bytes that are no text
setlock "$(printf 'l\344\377')" echo ok
ls | od -An -c

setlock "$(printf 'd\377/f')" true

# no right to write
#: needs root
: >f; chmod 444 f
setuidgid nobody setlock f true

#: needs root
: >f; chmod 444 f
setuidgid nobody setlock -x f true
echo $?

ln -s l l
setlock l true

setlock f sh -c 'exit 12'

setlock - true

setlock -n -- -f true
ls

# interrupted while it waits: no word, and the signal's own exit code
mkfifo go
$FIRST/setlock f sh -c 'echo locked >go; exec sleep 30' & holder=$!
read line <go
env --default-signal=INT $SECOND/setlock f echo no & waiter=$!
eventually grep -q "^[0-9]*: -> .* $waiter " /proc/locks
kill -INT $waiter; wait $waiter; echo $?
kill $holder
