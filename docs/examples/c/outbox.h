/* What is not receipted yet: outbox.c. It ends the program when the disk does not do what it should. */
#include <stdbool.h>
#include <stddef.h>

enum { MOST_KEPT = 5000, LONGEST = 65536 };

typedef struct { long long seq, sent; } Message;    /* sent: when, in ms; 0: not yet */

extern Message kept[MOST_KEPT];     /* ascending by seq */
extern int count;
extern long long epoch, last_seq;
extern bool dropped;                /* since a birth said so the last time */

void open_outbox(const char *path);
bool put(const char *line);         /* one item, with the next number, on the disk; false: it is none */
size_t read_message(long long seq, char *bytes, size_t most);
void forget(int place);
