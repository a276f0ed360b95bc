pgrphack

pgrphack ./nonexistent

pgrphack echo ok

pgrphack sh -c 'exit 9'

pgrphack sh -c 'read pid comm st pp pgrp sid x </proc/self/stat; test $pid = $pgrp -a $pid = $sid && echo leader'

# a leader already: no complaint
setsid -w $FIRST/pgrphack sh -c 'read pid comm st pp pgrp sid x </proc/self/stat; test $pid = $pgrp -a $pid = $sid && echo leader'

# the terminal is gone
script -qec "$FIRST/pgrphack sh -c 'true </dev/tty || echo none' 2>/dev/null" /dev/null </dev/null | tr -d '\r'

pgrphack -h

pgrphack ''

pgrphack sh -c 'kill -HUP $$'
echo $?
