# What scenarios may use. The shell is /bin/sh; the working directory is empty and the scenario's own.

# eventually COMMAND...: wait for a fact
eventually() {
	tries=0
	until "$@" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { echo "never: $*" >&2; return 1; }
		sleep 0.02
	done
}

# service DIRECTORY < SCRIPT: a service directory whose run is the script
service() {
	mkdir -p "$1"
	{ echo '#!/bin/sh'; cat; } >"$1/run"
	chmod 755 "$1/run"
}

# state DIRECTORY PATTERN: whether svstat's line matches
state() { svstat "$1" | grep -Eq "$2"; }

# gone PID
gone() { ! kill -0 "$1"; }

# list [DIRECTORY]: each file of a log directory: mode, links, name, its first 20 bytes with newlines as dots
list() (
	[ ! -d "${1:-log}" ] || cd "${1:-log}"
	for file in *; do
		[ -e "$file" ] || continue
		printf '%s %s %s\n' "$(stat -c '%a %h' "$file")" "$file" "$(head -c 20 "$file" | tr '\n\0' '.0')"
	done
)

# supervised DIRECTORY: start supervise on it; its pid is $S
supervised() {
	supervise "$1" &
	S=$!
	eventually svok "$1"
}

# lines N FILE: whether the file has at least N lines
lines() { [ "$(wc -l <"$2")" -ge "$1" ]; }

# holds FILE OFFSET HEX: whether the bytes from the offset on are these, status flags for example
holds() { [ "$(od -An -v -tx1 -j"$2" "$1" | tr -d ' ')" = "$3" ]; }
