/* The outbox: one file a message, on the disk before anything is said about it. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "json.h"
#include "outbox.h"

Message kept[MOST_KEPT];
int count;
long long epoch, last_seq;
bool dropped;

static int folder;

static void die(const char *what) { perror(what), exit(1); }

static void write_file(const char *name, const void *bytes, size_t size)
{
    int draft = openat(folder, "draft", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (draft < 0 || write(draft, bytes, size) != (ssize_t)size || fsync(draft) || close(draft))
        die("outbox");
    /* rename is atomic: after a power cut there is all of the file or none of it; the folder's fsync makes it last */
    if (renameat(folder, "draft", folder, name) || fsync(folder))
        die("outbox");
}

static size_t read_file(const char *name, char *bytes, size_t most)
{
    int file = openat(folder, name, O_RDONLY);
    ssize_t size = file < 0 ? 0 : read(file, bytes, most);
    if (file >= 0)
        close(file);
    return size < 0 ? 0 : (size_t)size;
}

static long long read_number(const char *name)
{
    char text[32] = {0};
    return read_file(name, text, sizeof text - 1) ? strtoll(text, NULL, 10) : 0;
}

static void write_number(const char *name, long long number)
{
    char text[32];
    write_file(name, text, (size_t)snprintf(text, sizeof text, "%lld", number));
}

static int by_seq(const void *a, const void *b)
{
    return ((const Message *)a)->seq < ((const Message *)b)->seq ? -1 : 1;
}

void open_outbox(const char *path)
{
    if (mkdir(path, 0700) && errno != EEXIST)
        die(path);
    folder = open(path, O_RDONLY | O_DIRECTORY);
    int parent = folder < 0 ? -1 : openat(folder, "..", O_RDONLY);
    if (parent < 0 || fsync(parent) || close(parent))   /* the new folder itself must outlast the power */
        die(path);
    if (!(epoch = read_number("epoch")))    /* a new outbox must not use old numbers: the clock must be set */
        write_number("epoch", epoch = (long long)time(NULL));
    last_seq = read_number("last");
    DIR *listing = fdopendir(dup(folder));
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        long long seq = strtoll(entry->d_name, NULL, 10);
        if (seq > 0 && count < MOST_KEPT)
            kept[count++].seq = seq;
        if (seq > last_seq)
            last_seq = seq;
    }
    closedir(listing);
    qsort(kept, (size_t)count, sizeof *kept, by_seq);
}

size_t read_message(long long seq, char *bytes, size_t most)
{
    char name[32];
    snprintf(name, sizeof name, "%lld", seq);
    return read_file(name, bytes, most);
}

void forget(int place)
{
    char name[32];
    snprintf(name, sizeof name, "%lld", kept[place].seq);
    if (kept[place].seq == last_seq)    /* its file was what remembered the highest number */
        write_number("last", last_seq);
    unlinkat(folder, name, 0);          /* comes back after a power cut? then it is sent again, which is harmless */
    memmove(kept + place, kept + place + 1, (size_t)(--count - place) * sizeof *kept);
}

bool put(const char *line)
{
    static char text[LONGEST];
    char name[32];
    const char *values = json_member(line, "values"), *end = json_end(line);
    if (!values || *values != '{' || *end)
        return false;
    if (count == MOST_KEPT) {           /* full: the oldest goes, and a birth says so */
        fprintf(stderr, "the outbox is full: message %lld is dropped\n", kept[0].seq);
        forget(0);
        dropped = true;
    }
    while (*--end != '}')               /* the number stands behind the rest: of two of a name the last one counts */
        ;
    snprintf(name, sizeof name, "%lld", last_seq + 1);
    int size = snprintf(text, sizeof text, "%.*s,\"seq\":%lld,\"epoch\":%lld}", (int)(end - line), line, last_seq + 1, epoch);
    write_file(name, text, (size_t)size);
    kept[count++] = (Message){.seq = ++last_seq};
    return true;
}
