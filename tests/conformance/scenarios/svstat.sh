svstat

svstat nonexistent

svstat ''

echo x >file
svstat file

mkdir a
svstat a nonexistent

mkdir a; ln -s down a/down
svstat a

mkdir a; mkdir a/supervise; ln -s ok a/supervise/ok
svstat a

mkdir a; mkdir a/supervise; mkfifo a/supervise/ok
svstat a

mkdir a; mkdir a/supervise; mkfifo a/supervise/ok
exec 8<>a/supervise/ok; svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; : >a/supervise/status
exec 8<>a/supervise/ok; svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; echo 1234567890123456 >a/supervise/status
exec 8<>a/supervise/ok; svstat a

# what follows the 18 bytes is ignored
mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\1\2\3\4\0uextra' >a/supervise/status
svstat a | sed 's/pid 67305985/that pid/'

#: differs stdout: the C program does not notice that the status cannot be read, and prints an absurd age
mkdir -p a/supervise/status; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
svstat a

# the largest pid
mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\377\377\377\377\0u' >a/supervise/status
svstat a | sed 's/pid 4294967295/that pid/'

# a time in the future is no seconds ago
mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\1\152\0\0\0\0\0\0\0\1\0\0\0\0u' >a/supervise/status
svstat a | sed 's/ 0 seconds/ no seconds/'

# the age in whole seconds, both ends truncated
service sv <<'end'
exec sleep 1000
end
supervised sv
eventually state sv 'up .* 1 seconds'
svstat sv | sed 's/ 1 seconds/ one/'
svc -dx sv; wait $S

#: needs root
mkdir -p a/supervise; mkfifo a/supervise/ok; chmod 700 a/supervise
setuidgid nobody svstat a

# the current directory cannot be opened
#: needs root
#: differs exit stdout stderr: ours does not have to come back and so does not open it
mkdir a; chmod 311 .
setuidgid nobody svstat a

svstat "$(printf 'n\344\377')" | od -An -c

svstat -h --help

# every combination of pid, paused, want and down file

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\0u' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\0u' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\0d' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\0d' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\0\0' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\0\0' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\1u' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\1u' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\1d' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\1d' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\1\0' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\322\4\0\0\1\0' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\0u' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\0u' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\0d' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\0d' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\0\0' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\0\0' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\1u' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\1u' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\1d' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\1d' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\1\0' >a/supervise/status
svstat a

mkdir -p a/supervise; mkfifo a/supervise/ok; touch a/down; exec 8<>a/supervise/ok
printf '\100\0\0\0\152\0\0\0\0\0\0\0\0\0\0\0\1\0' >a/supervise/status
svstat a

# a supervise's life, as svstat tells it

service sv <<'end'
exec sleep 1000
end
supervised sv
eventually state sv ': up'
svstat sv
svc -p sv; eventually state sv paused; svstat sv
svc -c sv; eventually state sv 'seconds$'; svstat sv
svc -d sv; eventually state sv ': down'; svstat sv
svc -x sv; wait $S; svstat sv

service sv <<'end'
exec sleep 1000
end
touch sv/down; supervised sv
svstat sv
svc -u sv; eventually state sv ': up'; svstat sv
svc -dx sv; wait $S

service sv <<'end'
trap '' TERM
: >ready
while :; do sleep 0.1; done
end
supervised sv; eventually test -e sv/ready
svc -d sv; eventually state sv 'want down'; svstat sv
svc -kx sv; wait $S

# once: neither wanted up nor down
service sv <<'end'
exec sleep 1000
end
touch sv/down; supervised sv
svc -o sv; eventually state sv ': up'; svstat sv
svc -t sv; eventually state sv ': down'; svstat sv
svc -x sv; wait $S
