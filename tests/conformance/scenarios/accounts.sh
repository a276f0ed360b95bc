setuidgid

#: needs root
setuidgid nobody

setuidgid no-such-user true

setuidgid 0 true

setuidgid '' true

#: needs root
setuidgid nobody id

#: needs root
setuidgid nobody sh -c 'grep -E "^(Uid|Gid|Groups)" /proc/self/status'

#: needs root
setuidgid daemon id -un

#: needs root
setuidgid nobody ./nonexistent

#: needs root
setuidgid nobody setuidgid nobody true

setuidgid -- nobody true

#: needs root
HOME=/root USER=root setuidgid nobody sh -c 'echo $HOME $USER'

envuidgid

envuidgid root

envuidgid no-such-user true

envuidgid nobody printenv UID GID

env UID=7 GID=8 envuidgid daemon printenv UID GID

#: needs root
setuidgid nobody envuidgid root printenv UID GID

envuidgid root ./nonexistent

env -i $FIRST/envuidgid mail /usr/bin/env

# arguments that are no text
setuidgid "$(printf 'n\344\377')" true

envuidgid "$(printf 'n\344\377')" true

# an account with rights to nothing: setgid fails first
#: needs root
setuidgid nobody setuidgid root true

# user namespaces with one id: the group can be set, the user cannot
#: needs root
unshare --user --map-root-user $FIRST/setuidgid nobody true

# supplementary groups go, the environment, directory and descriptors stay
#: needs root
setuidgid nobody sh -c 'id -G; pwd | sed "s,.*/,,"; echo $HOME | sed "s,.*/,,"'

# numbers replace what was there, at the end
env -i GID=1 X=2 UID=3 Y=4 $FIRST/envuidgid daemon /usr/bin/env

env -i GID=1 GIDX=2 XGID=3 $FIRST/envuidgid daemon /usr/bin/env

envuidgid nobody sh -c 'exit 5'

#: needs root
setuidgid nobody sh -c 'exit 6'

# root without the right to change its user, and without that to change its groups
#: needs root
setpriv --bounding-set -setuid $FIRST/setuidgid nobody true

#: needs root
setpriv --bounding-set -setgid $FIRST/setuidgid nobody true
