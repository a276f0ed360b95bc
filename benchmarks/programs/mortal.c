/* A service that dies: `#!/path/mortal RECORD`. Notes when it was executed, lives for a time beyond the second within
   which daemontools starts nothing twice, notes the time and ends. Births and deaths alternate in its record. */

#include "record.h"

int main(int argc, char **argv) {
    if (argc < 2) return 100;
    struct record *record = record_open(argv[1]);
    record_note(record);
    struct timespec life = {1, 100000000};
    nanosleep(&life, 0);
    record_note(record);
    _exit(1);
}
