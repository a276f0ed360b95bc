/* nothing: ends at once, so that what came before it is all that is measured. */

int main(void) { return 0; }
