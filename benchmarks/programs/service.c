/* The service of every supervisor, as the interpreter of its run file: `#!/path/service RECORD`. Writes one line for
   its log, notes the time and sleeps until it is killed. */

#include "record.h"

int main(int argc, char **argv) {
    static const char line[] = "ready\n";
    if (argc < 2) return 100;
    if (write(1, line, sizeof line - 1) != sizeof line - 1) return 111;
    record_note(record_open(argv[1]));
    for (;;) pause();
}
