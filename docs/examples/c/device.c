/* A device that loses nothing: MQTT 3.1.1, an outbox of fsynced files, receipts.
 *
 *   cc -std=c11 -Wall -Wextra -Werror -O2 -o device device.c link_tls.c -lssl -lcrypto
 *   ALATAU_CA=ca.pem ALATAU_DEVICE_SECRET=… ./device HOST PORT DEVICE FOLDER < values.jsonl
 *
 * Each line of input is one item: {"time": 1795320000250, "values": {"voltage": 230.4}}.
 * It is given the next number, written to FOLDER/<seq> and fsynced; then its number is printed, and then it is sent.
 * A file is deleted only when a receipt covers it. FOLDER/epoch holds the epoch and never changes; the next number
 * is one more than the highest ever given, which FOLDER/last keeps when no message is left.
 *
 * Read docs/device-client.md beside it. With link_plain.c instead of link_tls.c it needs no library.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "link.h"

enum { LINE = 60000, PACKET = 70000, MOST_KEPT = 5000, WINDOW = 100, RESEND_SECONDS = 30, KEEPALIVE = 30 };

typedef struct { long long seq; time_t sent; } Message;

static const char *device;
static int folder;                  /* where the outbox is */
static long long epoch, last_seq;
static Message kept[MOST_KEPT];     /* the outbox, ascending by seq; sent 0: not on this connection */
static int count, broker = -1;
static bool connected, birth_due, input_ended;
static time_t heard, spoke;
static unsigned char came[PACKET];  /* of packets that are not whole yet */
static size_t came_size;

static void die(const char *what) { perror(what), exit(1); }

/* The outbox: one file a message, on the disk before anything is said about it. */

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

static void open_outbox(const char *path)
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

static void forget(int place)
{
    char name[32];
    snprintf(name, sizeof name, "%lld", kept[place].seq);
    if (kept[place].seq == last_seq)    /* its file was what remembered the highest number */
        write_number("last", last_seq);
    unlinkat(folder, name, 0);          /* comes back after a power cut? then it is sent again, which is harmless */
    memmove(kept + place, kept + place + 1, (size_t)(--count - place) * sizeof *kept);
}

static void put(const char *line)
{
    static char text[PACKET];
    char name[32];
    if (*line != '{' || !strstr(line, "\"values\"")) {
        fprintf(stderr, "a line that is no item: %s\n", line);
        return;
    }
    if (count == MOST_KEPT) {           /* full: the oldest goes, and a birth says so */
        fprintf(stderr, "the outbox is full: message %lld is dropped\n", kept[0].seq);
        forget(0);
        birth_due = true;
    }
    snprintf(name, sizeof name, "%lld", last_seq + 1);
    int size = snprintf(text, sizeof text, "{\"seq\":%lld,\"epoch\":%lld,%s", last_seq + 1, epoch, line + 1);
    write_file(name, text, (size_t)size);
    kept[count++] = (Message){.seq = ++last_seq};
    printf("%lld\n", last_seq);
    fflush(stdout);
}

/* MQTT 3.1.1, as much of it as a publisher needs. */

static void hang_up(void)
{
    link_close();
    broker = -1, connected = false, came_size = 0;
    for (int i = 0; i < count; i++)     /* nobody knows what has arrived: all of it goes again, oldest first */
        kept[i].sent = 0;
}

static void as_bytes(const unsigned char *bytes, size_t size)
{
    if (broker >= 0 && !link_send(bytes, size))
        hang_up();
    spoke = time(NULL);
}

static size_t add_text(unsigned char *to, const char *text)
{
    size_t size = strlen(text);
    to[0] = (unsigned char)(size >> 8), to[1] = (unsigned char)size;
    memcpy(to + 2, text, size);
    return size + 2;
}

static void send_packet(int head, const unsigned char *body, size_t size)
{
    unsigned char start[5] = {(unsigned char)head};
    size_t used = 1, rest = size;
    do {
        start[used++] = (unsigned char)((rest & 127) | (rest > 127 ? 128 : 0));
    } while ((rest >>= 7) > 0);
    as_bytes(start, used);
    as_bytes(body, size);
}

/* id: PUBACK tells it back; it proves nothing about storage, so nobody looks at it here */
static void publish(const char *kind, const char *payload, size_t size, unsigned id)
{
    static unsigned char body[PACKET + 200];
    char topic[120];
    snprintf(topic, sizeof topic, "city/v1/%s/%s", device, kind);
    size_t used = add_text(body, topic);
    body[used++] = (unsigned char)(id >> 8), body[used++] = (unsigned char)id;
    memcpy(body + used, payload, size);
    send_packet(0x32, body, used + size);
}

static void subscribe(const char *kind)
{
    unsigned char body[200] = {0, 1};
    char topic[120];
    snprintf(topic, sizeof topic, "city/v1/%s/%s", device, kind);
    size_t used = 2 + add_text(body + 2, topic);
    body[used++] = 0;
    send_packet(0x82, body, used);
}

static void send_connect(const char *secret)
{
    unsigned char body[600] = {0, 4, 'M', 'Q', 'T', 'T', 4, 0xCE, 0, KEEPALIVE};  /* user, secret, will QoS 1, clean */
    char will[120];
    size_t used = 10;
    snprintf(will, sizeof will, "city/v1/%s/death", device);
    used += add_text(body + used, device);
    used += add_text(body + used, will);
    used += add_text(body + used, "{}");
    used += add_text(body + used, device);
    used += add_text(body + used, secret);
    send_packet(0x10, body, used);
}

static void dial(const char *host, const char *port)
{
    const char *secret = getenv("ALATAU_DEVICE_SECRET");
    broker = link_open(host, port);
    heard = time(NULL);
    if (broker >= 0 && strlen(secret ? secret : "") < 200)
        send_connect(secret ? secret : "");
}

static void announce(long long of_epoch, long long oldest)
{
    char text[160];
    int size = snprintf(text, sizeof text, "{\"time\":%lld000,\"epoch\":%lld,\"oldest_seq\":%lld}",
                        (long long)time(NULL), of_epoch, oldest);
    publish("birth", text, (size_t)size, 1);
}

static void settle(long long first, long long last)
{
    for (int i = count - 1; i >= 0; i--)
        if (kept[i].seq >= first && kept[i].seq <= last)
            forget(i);
}

static long long member(const char *json, const char *name, long long otherwise)
{
    const char *found = strstr(json, name);
    return found && (found = strchr(found + strlen(name), ':')) ? strtoll(found + 1, NULL, 10) : otherwise;
}

static void take_ranges(const char *at)     /* [1045,1047],[1050,1050]] */
{
    for (char *end; *at == '[' || *at == ',' || *at == ' '; at++) {
        if (*at != '[')
            continue;
        long long first = strtoll(at + 1, &end, 10), last = *end == ',' ? strtoll(end + 1, &end, 10) : 0;
        if (*end != ']')
            return;
        settle(first, last);
        at = end;
    }
}

static void take_receipt(const char *json)
{
    if (member(json, "\"epoch\"", -1) != epoch)
        return;
    settle(0, member(json, "\"stored_through\"", -1));
    const char *also = strstr(json, "\"also\"");
    if (also && (also = strchr(also, '[')))
        take_ranges(also + 1);
    if (strstr(json, "\"rejected\""))
        fprintf(stderr, "refused: %s\n", json);
}

/* replay and rebirth are done; configure and rotate are answered with the truth: it has nothing of the kind */
static void take_command(const char *json)
{
    char id[64] = "", text[200];
    const char *found = strstr(json, "\"id\"");
    if (!found || sscanf(found, "\"id\" : \"%40[A-Za-z0-9-]", id) != 1)
        return;
    bool replay = strstr(json, "\"replay\"") != NULL, rebirth = strstr(json, "\"rebirth\"") != NULL;
    long long first = member(json, "\"from\"", 0), last = member(json, "\"to\"", -1), of = member(json, "\"epoch\"", -1);
    for (int i = 0; replay && of == epoch && i < count; i++)
        if (kept[i].seq >= first && kept[i].seq <= last)
            kept[i].sent = 0;
    if (replay && of != epoch)
        announce(of, last + 1);         /* nothing is left of that epoch */
    birth_due |= replay || rebirth;     /* its oldest_seq says what is gone for good */
    int size = snprintf(text, sizeof text, "{\"id\":\"%s\",\"ok\":%s}", id, replay || rebirth ? "true" : "false");
    publish("result", text, (size_t)size, 2);
}

static void take_packet(int kind, const unsigned char *body, size_t size)
{
    static char text[PACKET];
    size_t topic_end = size < 2 ? size : 2 + (size_t)(body[0] << 8 | body[1]);
    if (kind == 2 && size >= 2 && body[1] == 0) {       /* CONNACK: in */
        subscribe("receipt");
        subscribe("command");
        connected = birth_due = true;
    } else if (kind == 2) {
        fprintf(stderr, "the broker refuses us: %d\n", size >= 2 ? body[1] : -1);
        hang_up();
    } else if (kind == 3 && topic_end >= 9 && topic_end <= size) {  /* PUBLISH, at QoS 0 as we subscribed */
        memcpy(text, body + topic_end, size - topic_end);
        text[size - topic_end] = 0;
        (memcmp(body + topic_end - 7, "receipt", 7) ? take_command : take_receipt)(text);
    }
}

static void take_bytes(void)
{
    ssize_t got = link_receive(came + came_size, sizeof came - came_size);
    if (got < 0)
        hang_up();
    heard = time(NULL);
    came_size += got > 0 ? (size_t)got : 0;
    while (broker >= 0) {
        size_t used = 1, size = 0;
        while (used < came_size && used < 5) {
            size |= (size_t)(came[used] & 127) << (7 * (used - 1));
            if (came[used++] < 128)
                break;
        }
        if (used < 2 || came[used - 1] > 127 || used + size > came_size)
            break;
        take_packet(came[0] >> 4, came + used, size);
        if (broker >= 0)
            memmove(came, came + used + size, came_size -= used + size);
    }
    if (came_size == sizeof came)       /* nothing that is sent to a device is so long */
        hang_up();
}

static void send_due(void)
{
    static char text[PACKET];
    char name[32];
    time_t now = time(NULL);
    for (int i = 0; i < count && i < WINDOW && broker >= 0; i++) {
        if (kept[i].sent && now - kept[i].sent < RESEND_SECONDS)
            continue;
        snprintf(name, sizeof name, "%lld", kept[i].seq);
        size_t size = read_file(name, text, sizeof text);
        kept[i].sent = now;
        publish("data", text, size, (unsigned)(kept[i].seq % 60000) + 10);
    }
}

static void take_input(void)
{
    static char line[LINE];
    static size_t filled;
    ssize_t got = read(STDIN_FILENO, line + filled, sizeof line - 1 - filled);
    if (got <= 0) {
        input_ended = true;
        return;
    }
    filled += (size_t)got;
    line[filled] = 0;
    for (char *end; (end = memchr(line, '\n', filled)) != NULL;) {
        *end = 0;
        put(line);
        filled -= (size_t)(end + 1 - line);
        memmove(line, end + 1, filled + 1);
    }
    if (filled == sizeof line - 1)      /* longer than a message may be */
        filled = 0;
}

int main(int arguments, char **argument)
{
    if (arguments != 5)
        return fputs("device HOST PORT DEVICE FOLDER < values.jsonl\n", stderr), 2;
    device = argument[3];
    open_outbox(argument[4]);
    while (!input_ended || count > 0) {
        if (broker < 0)
            dial(argument[1], argument[2]);
        struct pollfd watched[2] = {{.fd = input_ended ? -1 : STDIN_FILENO, .events = POLLIN},
                                    {.fd = broker, .events = POLLIN}};
        poll(watched, 2, broker < 0 ? 200 : 1000);
        if (watched[0].revents)
            take_input();
        if (broker >= 0 && watched[1].revents)
            take_bytes();
        if (connected && birth_due)
            announce(epoch, count ? kept[0].seq : last_seq + 1);
        birth_due &= !connected;
        if (connected)
            send_due();
        time_t now = time(NULL);
        if (broker >= 0 && now - spoke >= KEEPALIVE / 2)
            send_packet(0xC0, NULL, 0);
        if (broker >= 0 && now - heard > KEEPALIVE + 10)
            hang_up();
    }
    send_packet(0xE0, NULL, 0);         /* DISCONNECT: the broker sends no will */
    return 0;
}
