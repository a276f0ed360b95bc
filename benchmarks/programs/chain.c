/* `#!/path/chain PROGRAM ARGUMENT...` as the first line of a script: becomes the program, without a shell between. The
   kernel hands all of that line on as one word, which is cut at its spaces. */

#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char *words[32];
    int count = 0;
    if (argc < 2) return 100;
    for (char *word = strtok(argv[1], " "); word && count < 31; word = strtok(0, " ")) words[count++] = word;
    words[count] = 0;
    execv(words[0], words);
    return 111;
}
