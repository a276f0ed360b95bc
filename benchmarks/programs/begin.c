/* begin RECORD PROGRAM [ARGUMENT...]: notes the time, then becomes the program: the moment the clock starts. */

#include "record.h"

int main(int argc, char **argv) {
    if (argc < 3) return 100;
    record_note(record_open(argv[1]));
    execvp(argv[2], argv + 2);
    return 111;
}
