softlimit

softlimit -z true

softlimit -a

softlimit -a x true

softlimit -o -5 true

softlimit -o5

softlimit ./nonexistent

softlimit -o 100 sh -c 'ulimit -n'

softlimit -o 050 sh -c 'ulimit -n'

softlimit -o = sh -c 'test $(ulimit -Sn) = $(ulimit -Hn) && echo hard'

softlimit -o 99999999999 sh -c 'test $(ulimit -Sn) = $(ulimit -Hn) && echo hard'

softlimit -c0 -c= sh -c 'ulimit -c'

softlimit -c 18446744073709552640 sh -c 'ulimit -c'

softlimit -c '' sh -c 'ulimit -c'

softlimit -o10 -o20 sh -c 'ulimit -n'

softlimit -o 100 -- sh -c 'ulimit -n'

softlimit -t77 bash -c 'ulimit -t'

softlimit -m 300000000 bash -c 'ulimit -d; ulimit -s; ulimit -l; ulimit -v'

softlimit -p0 echo still runs

#: needs root
setuidgid nobody softlimit -p0 sh -c 'true & wait'

softlimit -m 5000 true

softlimit -f0 echo x

softlimit -f 0 sh -c 'echo x >f'

# all letters
softlimit -a 4000000000 -c 1024 -d 2000000000 -f 1048576 -l 4096 -o 99 -p 5000 -r 1000000000 -s 4194304 -t 55 bash -c 'ulimit -Sa' | grep -v pending

# hard limits stay as they are
softlimit -o 100 -f 1024 -s 1000000 bash -c 'ulimit -Ha' >got
bash -c 'ulimit -Ha' | diff - got

# = after a lower limit
(ulimit -Sn 50; softlimit -o= sh -c 'test $(ulimit -Sn) = $(ulimit -Hn); echo $?')

# 64 bits, and around
softlimit -c 18446744073709551615 sh -c 'ulimit -c'

softlimit -c 18446744073709551614 sh -c 'ulimit -c'

softlimit -c 9223372036854775808 sh -c 'ulimit -c'

softlimit -c 9223372036854775807 sh -c 'ulimit -c'

softlimit -c 99999999999999999999999999999999999999999 sh -c 'ulimit -c'

softlimit -c 1x true

softlimit -c ' 1' true

softlimit -c == true

softlimit -c -- true

softlimit -co true

# the message still comes under the tightest limits
softlimit -o 0 ./nonexistent

softlimit -a 1 ./nonexistent

softlimit -d 1 -l 1 -s 1 -m 1 ./nonexistent

softlimit -a 1 -o 0 -t 1 nonexistent

softlimit -o0 -o0 '' 

# limits that leave no room kill the program, not softlimit
softlimit -a 100000 true
echo $?

softlimit -o 3 sh -c 'exec 3</dev/null'
echo $?

softlimit -t 1 sh -c 'while :; do :; done'
echo $?

softlimit -- sh -c 'exit 8'

softlimit -o 50 envdir . softlimit -o 40 sh -c 'ulimit -n'

softlimit --help

softlimit -
