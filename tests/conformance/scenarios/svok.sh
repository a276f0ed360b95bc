svok

svok nonexistent

mkdir a
svok a

mkdir a
svok a nonexistent

echo x >file
svok file

mkdir a; mkdir a/supervise; mkfifo a/supervise/ok
svok a

mkdir a; mkdir a/supervise; mkfifo a/supervise/ok
exec 8<>a/supervise/ok; svok a

mkdir a; mkdir -p a/supervise/ok
svok a

mkdir a; mkdir a/supervise; ln -s ok a/supervise/ok
svok a

svok -h

svok "$(printf 'n\344\377')"

#: needs root
mkdir -p a/supervise; chmod 700 a/supervise
setuidgid nobody svok a

#: needs root
mkdir a; chmod 700 a
setuidgid nobody svok a

service sv <<'end'
exec sleep 1000
end
supervise sv & until svok sv; do sleep 0.1; done; svok sv; echo $?; svc -dx sv; wait; svok sv
