# shown: the last argument as /proc has it, and what of it the label leaves

readproctitle

readproctitle four

readproctitle .......... four

readproctitle a .....

#: differs exit stderr: the interpreter itself refuses a directory as standard input
readproctitle ..... </

mkfifo in; readproctitle service errors: .................... <in & title=$!
exec 8>in; printf '' >&8
eventually sh -c "tr '\\0\\n' '|/' </proc/$title/cmdline | grep -q '\\.\\.\\.|$'"
tr '\0' '|' </proc/$title/cmdline | sed 's/.*readproctitle|//'
exec 8>&-; wait $title

mkfifo in; readproctitle service errors: .................... <in & title=$!
exec 8>in; printf 'hello\n' >&8
eventually sh -c "tr '\\0\\n' '|/' </proc/$title/cmdline | grep -q 'hello/|$'"
tr '\0' '|' </proc/$title/cmdline | sed 's/.*readproctitle|//'
exec 8>&-; wait $title

mkfifo in; readproctitle service errors: .................... <in & title=$!
exec 8>in; printf 'hello\na\0b' >&8
eventually sh -c "tr '\\0\\n' '|/' </proc/$title/cmdline | grep -q 'hello/ab|$'"
tr '\0' '|' </proc/$title/cmdline | sed 's/.*readproctitle|//'
exec 8>&-; wait $title

mkfifo in; readproctitle service errors: .................... <in & title=$!
exec 8>in; printf 'this is a much longer line than fits\n' >&8
eventually sh -c "tr '\\0\\n' '|/' </proc/$title/cmdline | grep -q 'fits/|$'"
tr '\0' '|' </proc/$title/cmdline | sed 's/.*readproctitle|//'
exec 8>&-; wait $title

mkfifo in; readproctitle x 12345 <in & title=$!
exec 8>in; printf 'xyz' >&8
eventually sh -c "tr '\\0\\n' '|/' </proc/$title/cmdline | grep -q 'yz|$'"
tr '\0' '|' </proc/$title/cmdline | sed 's/.*readproctitle|//'
exec 8>&-; wait $title

# in pieces
mkfifo in; readproctitle label 1234567890 <in & title=$!
exec 8>in; printf 'ab' >&8
eventually grep -q ab /proc/$title/cmdline
printf 'cd\344' >&8
eventually grep -aq cd /proc/$title/cmdline
tr '\0' '|' </proc/$title/cmdline | sed 's/.*readproctitle|//' | od -An -c
exec 8>&-; wait $title

# closed standard input is an error that nobody hears of
readproctitle ..... <&-

# more than a pipe holds
mkfifo in; readproctitle label .......... <in & title=$!
exec 8>in; head -c 300000 /dev/zero | tr '\0' y >&8; printf 'end' >&8
eventually grep -q yyyyend /proc/$title/cmdline
tr '\0' '|' </proc/$title/cmdline | sed 's/.*readproctitle|//'
exec 8>&-; wait $title

#: needs root
#: differs stderr: without /proc ours cannot reach its memory, and says so once; it goes on reading
unshare --mount sh -c 'mount -t tmpfs none /proc; yes | head -n 100000 | $FIRST/readproctitle label .....; echo $?'
