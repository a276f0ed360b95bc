# svscanboot drops its environment. So the scenario works in a mount namespace. There it lays the commands over a
# directory of svscanboot's fixed PATH, and puts the service directory where Debian's script has it. All processes end
# with their PID namespace.

#: needs root
cp -a /etc etc; rm -rf etc/service; mkdir -p etc/service/a; touch etc/service/a/down
mkdir -p local/lib; cp -a "${PATH%%:*}" local/sbin; cp -a "${PATH%%:*}/../lib/pyinit" local/lib
cat >inside <<'end'
mount --bind etc /etc; mount -t overlay -o "lowerdir=$PWD/local:/usr/local" overlay /usr/local
PYINIT_SERVICE_DIR=/etc/service KEPT=no svscanboot >out 2>&1 &
eventually svok /etc/service/a; svstat /etc/service/a
for name in svscan readproctitle; do
	eventually pgrep -x $name >/dev/null; pid=$(pgrep -ox $name)
	parent=$(sed 's/.*) . \([0-9]*\) .*/\1/' /proc/$pid/stat)
	echo "$name of $(sed s/svscanboot/sh/ /proc/$parent/comm)"
	tr '\0' '\n' <"/proc/$pid/environ"
	readlink "/proc/$pid/fd/0" | sed 's/[0-9]//g'
done
ln -s nowhere /etc/service/dangling
eventually grep -q dangling "/proc/$pid/cmdline"
tr '\0' '|' <"/proc/$pid/cmdline" | sed 's/.*readproctitle|//' | tr -d '\n'
wc -c <out
end
unshare --mount --pid --fork --kill-child --mount-proc sh -c '. "$PRELUDE"; . ./inside'
