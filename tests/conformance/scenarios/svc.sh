svc

mkdir a
svc a

mkdir a
svc -u a

svc -u nonexistent

echo x >file
svc -u file

svc -z a

mkdir a
svc -uz a

mkdir a
svc a -u

mkdir a
svc - a

mkdir a
svc -- -u

svc --help

mkdir a; mkdir a/supervise; mkfifo a/supervise/control
svc -u a

mkdir a; mkdir a/supervise; : >a/supervise/control
svc -uuddxopchaitk -u a; cat a/supervise/control

mkdir a; mkdir -p a/supervise/control
svc -u a

mkdir a; mkdir b b/supervise; : >b/supervise/control
svc -t -h nonexistent a b; cat b/supervise/control

#: needs root
mkdir a; mkdir -m 700 a/supervise; : >a/supervise/control
setuidgid nobody svc -u a

# no options still open the FIFO
mkdir -p a/supervise; mkfifo a/supervise/control
svc a

ln -s l l
svc -u l ''

mkdir -p a/supervise; : >a/supervise/control
svc -d "$(printf 'n\344\377')" a; cat a/supervise/control

# each letter once, in the order of first appearance, over several options
mkdir -p a/supervise b/supervise; : >a/supervise/control; : >b/supervise/control
svc -uud -d -x -- a b; cat a/supervise/control b/supervise/control

# each directory from where it was started
mkdir -p a/supervise b/supervise; : >a/supervise/control; : >b/supervise/control
svc -k a nonexistent b; svc -i b a; cat a/supervise/control b/supervise/control

# the commands overwrite nothing but the beginning, as a FIFO would not notice
mkdir -p a/supervise; echo abcdef >a/supervise/control
svc -tk a; cat a/supervise/control

# a control that cannot be written to
mkdir -p a/supervise; ln -s /dev/full a/supervise/control
svc -u a

# every letter of the alphabet that is no option, one of them
svc -b a

svc -uq

# letters that only services of a pyinit know
mkdir -p a/supervise; : >a/supervise/control
svc -1 a; svc -2 a; svc -w a; svc -l a; svc -tl a; cat a/supervise/control

# the current directory cannot be opened
#: needs root
#: differs exit stderr: ours does not have to come back and so does not open it
mkdir -p a/supervise; chmod 311 .
setuidgid nobody svc -u a

# a relative way back and forth
mkdir -p a/supervise b/supervise; : >a/supervise/control; : >b/supervise/control
(cd a; svc -h . ../b); cat a/supervise/control b/supervise/control

# what each letter makes the service see
service sv <<'end'
for name in HUP INT ALRM TERM; do trap "echo $name >>got" $name; done
trap 'echo CONT >>got' CONT
: >ready
while :; do sleep 0.02; done
end
env --default-signal=INT supervise sv & S=$!
eventually test -e sv/ready
svc -h sv; eventually lines 1 sv/got
svc -a sv; eventually lines 2 sv/got
svc -i sv; eventually lines 3 sv/got
svc -t sv; eventually lines 4 sv/got
svc -c sv; eventually lines 5 sv/got
svc -x sv; svc -k sv
wait $S; echo $?
cat sv/got
