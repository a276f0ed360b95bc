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
