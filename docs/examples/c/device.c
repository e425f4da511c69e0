/* A device that loses nothing: MQTT 3.1.1, an outbox of fsynced files, receipts.
 *
 *   cc -std=c11 -Wall -Wextra -Werror -O2 -o device device.c outbox.c json.c link_tls.c -lssl -lcrypto
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
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "json.h"
#include "link.h"
#include "outbox.h"

#ifndef SECOND
#define SECOND 1000     /* ms; a test may be in a hurry */
#endif
#define EARLIER (LLONG_MIN / 2)     /* sent on a connection before this one */

enum { LINE = 60000, PACKET = 70000, WINDOW = 100, KEEPALIVE = 30 };
enum { RESEND = 10 * SECOND, LONGEST_RESEND = 60 * SECOND, QUIET = 2 * SECOND, BIRTHS_APART = 10 * SECOND };
enum { FIRST_REDIAL = SECOND / 5, LONGEST_REDIAL = 5 * SECOND };

static const char *device;
static int broker = -1;
static bool connected, birth_due, input_ended;
static long long heard, spoke, announced, redial = FIRST_REDIAL, dial_at;
static long long receipted = EARLIER, covered;      /* when a receipt came on this connection; the highest number in one */
static long long asked = EARLIER;                   /* when the oldest was repeated; how often since the last receipt */
static int asks;
static unsigned char came[PACKET];  /* of packets that are not whole yet */
static size_t came_size;

static long long now(void)          /* in ms, whatever is done to the clock */
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* MQTT 3.1.1, as much of it as a publisher needs. */

static void hang_up(void)
{
    link_close();
    broker = -1, connected = false, came_size = 0;
    for (int i = 0; i < count; i++)     /* nobody knows what has arrived: all of it goes again, oldest first; */
        kept[i].sent = asks && kept[i].sent ? EARLIER : 0;  /* where nobody answered, only once somebody does */
    receipted = asked = EARLIER, asks = asks > 0;
}

static void as_bytes(const unsigned char *bytes, size_t size)
{
    if (broker >= 0 && !link_send(bytes, size))
        hang_up();
    spoke = now();
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
    heard = now();
    dial_at = heard + redial / 2 + rand() % redial;   /* not all devices of a city at the same moment */
    redial = redial < LONGEST_REDIAL ? 2 * redial : redial;
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
    covered = last > covered ? last : covered;
    for (int i = count - 1; i >= 0; i--)
        if (kept[i].seq >= first && kept[i].seq <= last)
            forget(i);
}

static long long number(const char *json, const char *name, long long otherwise)
{
    const char *found = json_member(json, name);
    return found && strchr("-0123456789", *found) ? strtoll(found, NULL, 10) : otherwise;
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
    if (number(json, "epoch", -1) != epoch)
        return;
    receipted = now(), asks = 0;
    settle(0, number(json, "stored_through", -1));
    const char *also = json_member(json, "also");
    if (also && *also == '[')
        take_ranges(also + 1);
    if (json_member(json, "rejected"))
        fprintf(stderr, "refused: %s\n", json);
}

static bool is(const char *value, const char *word)
{
    size_t size = strlen(word);
    return value && *value == '"' && !strncmp(value + 1, word, size) && value[1 + size] == '"';
}

/* replay and rebirth are done; configure and rotate are answered with the truth: it has nothing of the kind */
static void take_command(const char *json)
{
    char id[41] = "", text[200];
    const char *name = json_member(json, "name"), *spelled = json_member(json, "id"), *args = json_member(json, "args");
    bool replay = is(name, "replay"), rebirth = is(name, "rebirth");
    bool known = replay || rebirth || is(name, "configure") || is(name, "rotate");
    bool expired = number(json, "expires_at", LLONG_MAX) / 1000 <= time(NULL);
    if (!known || expired || !spelled || sscanf(spelled, "\"%40[A-Za-z0-9-]", id) != 1)
        return;
    long long first = number(args, "from", 0), last = number(args, "to", -1), of = number(args, "epoch", -1);
    replay &= of >= 0 && last >= first && last < LLONG_MAX;
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
        connected = birth_due = true, redial = FIRST_REDIAL;
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
    if (got > 0)
        heard = now(), came_size += (size_t)got;
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

/* Without an answer the oldest alone asks for one: copies of the rest would fill the broker. After an answer goes what it
 * left out, at once where it names a later one, else when no more come: till then it may stand in a long line there. */
static bool goes(int i, long long at)
{
    long long between = asks < 3 ? RESEND << asks : LONGEST_RESEND;
    if (!kept[i].sent || at - kept[i].sent < RESEND)
        return !kept[i].sent;
    if (receipted > kept[i].sent)
        return kept[i].seq < covered || at - receipted >= QUIET;
    return i == 0 && at - asked >= between;
}

static void send_due(void)
{
    static char text[PACKET];
    for (int i = 0; i < count && i < WINDOW && broker >= 0; i++) {
        long long at = now();
        if (!goes(i, at) && kept[i].sent == EARLIER)
            break;                      /* what is new waits behind it: order is kept */
        if (!goes(i, at))
            continue;
        if (kept[i].sent && receipted <= kept[i].sent)
            asked = at, asks++;
        size_t size = read_message(kept[i].seq, text, sizeof text);
        kept[i].sent = at;
        publish("data", text, size, (unsigned)(kept[i].seq % 60000) + 10);
    }
}

static void take_input(void)
{
    static char line[LINE];
    static size_t filled;
    ssize_t got = read(STDIN_FILENO, line + filled, sizeof line - 1 - filled);
    if ((input_ended = got <= 0) && filled > 0)
        line[filled] = '\n', got = 1;    /* the last line may have none */
    filled += got > 0 ? (size_t)got : 0;
    line[filled] = 0;
    for (char *end; (end = memchr(line, '\n', filled)) != NULL;) {
        *end = 0;
        if (put(line))
            printf("%lld\n", last_seq);
        else
            fprintf(stderr, "a line that is no item: %.200s\n", line);
        fflush(stdout);
        filled -= (size_t)(end + 1 - line);
        memmove(line, end + 1, filled + 1);
    }
    if (filled == sizeof line - 1)
        fprintf(stderr, "a line that is longer than a message may be: %.200s\n", line), filled = 0;
}

int main(int arguments, char **argument)
{
    if (arguments != 5)
        return fputs("device HOST PORT DEVICE FOLDER < values.jsonl\n", stderr), 2;
    device = argument[3];
    open_outbox(argument[4]);
    srand((unsigned)(time(NULL) ^ getpid()));
    while (!input_ended || count > 0) {
        if (broker < 0 && now() >= dial_at)
            dial(argument[1], argument[2]);
        struct pollfd watched[2] = {{.fd = input_ended ? -1 : STDIN_FILENO, .events = POLLIN},
                                    {.fd = broker, .events = POLLIN}};
        poll(watched, 2, broker < 0 ? FIRST_REDIAL : SECOND);
        if (watched[0].revents)
            take_input();
        if (broker >= 0 && watched[1].revents)
            take_bytes();
        if (connected && (birth_due || (dropped && now() - announced >= BIRTHS_APART))) {
            announce(epoch, count ? kept[0].seq : last_seq + 1);
            birth_due = dropped = false, announced = now();
        }
        if (connected)
            send_due();
        if (broker >= 0 && now() - spoke >= KEEPALIVE * SECOND / 2)
            send_packet(0xC0, NULL, 0);
        if (broker >= 0 && now() - heard > (KEEPALIVE + 10) * SECOND)
            hang_up();
    }
    send_packet(0xE0, NULL, 0);         /* DISCONNECT: the broker sends no will */
    return 0;
}
