# Every file of a directory is a variable. The search for the child: first those of envdir, then what all share.

envdir

mkdir e
envdir e

envdir nonexistent true

echo x >f
envdir f true

envdir '' true

ln -s l l
envdir l true

mkdir e; mkdir e/sub
envdir e true

mkdir e; ln -s A e/A
envdir e true

#: needs root
mkdir e; echo x >e/A; chmod 0 e/A
setuidgid nobody envdir e true

#: needs root
mkdir e; chmod 0 e
setuidgid nobody envdir e true

#: needs root
mkdir e; chmod 311 e
setuidgid nobody envdir e true

mkdir e; printf 'hello' >'e/A'
envdir e printenv A | cat -A

mkdir e; printf 'hello\nsecond\n' >'e/A'
envdir e printenv A | cat -A

mkdir e; printf 'keep  \t \nrest' >'e/A'
envdir e printenv A | cat -A

mkdir e; printf '  lead' >'e/A'
envdir e printenv A | cat -A

mkdir e; printf 'x\0y\0\nz' >'e/A'
envdir e printenv A | cat -A

mkdir e; printf 'v\r\n' >'e/A'
envdir e printenv A | cat -A

mkdir e; printf '\n' >'e/A'
envdir e printenv A | cat -A

mkdir e; printf ' \t ' >'e/A'
envdir e printenv A | cat -A

mkdir e; printf '\0' >'e/A'
envdir e printenv A | cat -A

mkdir e; printf '=b=c' >'e/A'
envdir e printenv A | cat -A

mkdir e; printf 'c' >'e/P=Q'
envdir e printenv P | cat -A

mkdir e; : >e/A
A=was envdir e printenv A

mkdir e; mkfifo e/A
A=was envdir e printenv A

mkdir e; echo no >e/.A
A=was envdir e printenv A

mkdir e; : >e/R=S
R=was envdir e printenv R

# with nothing read before it, a link that leads nowhere removes the variable
mkdir e; ln -s /nonexistent e/A
A=was envdir e printenv A

mkdir e; printf /nowhere >e/PATH
envdir e sh -c 'echo $PATH'

mkdir e
envdir e ./nonexistent

mkdir e
envdir e nonexistent

mkdir e
envdir e ''

mkdir e
envdir e /

mkdir e; echo >f
envdir e ./f

mkdir e; printf "#!/nonexistent\n" >f; chmod 755 f
envdir e ./f

mkdir e; echo true >f; chmod 755 f
envdir e ./f

mkdir e; mkdir p q; : >p/prog; printf '#!/bin/sh\necho q\n' >q/prog; chmod 755 q/prog
PATH=p:q:/usr/bin $FIRST/envdir e prog

mkdir e; mkdir p; : >p/prog
PATH=p:/usr/bin $FIRST/envdir e prog

mkdir e; mkdir q; : >f; printf '#!/bin/sh\necho q\n' >q/prog; chmod 755 q/prog
PATH=f:q:/usr/bin $FIRST/envdir e prog

mkdir e; printf '#!/bin/sh\necho here\n' >prog; chmod 755 prog
PATH=:/usr/bin $FIRST/envdir e prog

mkdir e; printf '#!/bin/sh\necho here\n' >prog; chmod 755 prog
PATH= $FIRST/envdir e prog

mkdir e
env -u PATH $FIRST/envdir e echo default path

# after another file, the C program repeats that one's value for a link that leads nowhere
#: differs stdout: the C program gives the link the value it read before; ours removes the variable
mkdir e; for name in 1 2 3 4 5 6 7 8; do echo value >e/B$name; ln -s nowhere e/A$name; done
env -i A1=was A2=was A3=was A4=was A5=was A6=was A7=was A8=was $FIRST/envdir e /usr/bin/env | sort

# bytes that are no text, in names and values
mkdir e; name=$(printf 'N\344\377'); printf 'v\200\376' >"e/$name"
envdir e env | grep -a ^N | od -An -c

mkdir "$(printf 'd\351')"; mkdir "$(printf 'd\351/s\377')"
envdir "$(printf 'd\351')" true

# values longer than a read
mkdir e; head -c 100000 /dev/zero | tr '\0' x >e/A
envdir e sh -c 'echo ${#A}'

# the last file wins, if two say the same
mkdir e; printf 1 >e/A; printf 2 >'e/A='
envdir e sh -c 'test "$A" = 1 || test "$A" = =2; echo $?'

# more than the kernel takes
mkdir e; head -c 200000 /dev/zero | tr '\0' x >e/A
envdir e true

# the order: what is set goes to the end, the last entry takes its place
mkdir e; echo new >e/B
env -i A=1 B=2 C=3 D=4 $FIRST/envdir e /usr/bin/env

mkdir e; : >e/A
env -i A=1 B=2 C=3 D=4 $FIRST/envdir e /usr/bin/env

# the starting directory cannot be opened
#: needs root
mkdir e; chmod 311 .
setuidgid nobody envdir e true

# the child's own exit code, and death
mkdir e
envdir e sh -c 'exit 42'

mkdir e
envdir e sh -c 'kill -USR1 $$'
echo $?

# a chain
#: needs root
mkdir e; echo here >e/PLACE
envdir e setlock -n lock envuidgid nobody setuidgid nobody softlimit -o 77 pgrphack sh -c 'echo $PLACE $UID $GID; id -u; ulimit -n'

# a link that leads to itself in PATH ends the search; a directory of the child's name does not
mkdir e; ln -s l l
PATH=l:/usr/bin $FIRST/envdir e true

mkdir -p e p/true
PATH=p:/usr/bin $FIRST/envdir e true

# nowhere to look for an empty name
mkdir e
PATH=/nonexistent $FIRST/envdir e ''

mkdir e; : >f
PATH=f $FIRST/envdir e ''

# without /proc: no entry of this environment is odd, so nothing is missed
#: needs root
mkdir e; echo new >e/B; : >e/C
unshare --mount sh -c 'mount -t tmpfs none /proc; env -i A=1 B=2 C=3 D=4 $FIRST/envdir e /usr/bin/env'

#: needs root
unshare --mount sh -c 'mount -t tmpfs none /proc; env -i A=1 $FIRST/setlock f $SECOND/pgrphack /usr/bin/env'
