/* JSON, as much of it as a device needs to read. It is checked to its end: what the platform cannot read gets no receipt. */
#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include "json.h"

enum { DEEPEST = 20 };      /* the stack of a small device is short */

static const char *value_end(const char *at, int depth);

static const char *blank(const char *at) { return at + strspn(at, " \t\r\n"); }

/* the last byte of a character of several bytes: no shorter than need be, no half of a pair */
static const char *character(const char *at)
{
    static const unsigned long least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *byte = (const unsigned char *)at;
    int more = *byte >= 0xF0 ? 3 : *byte >= 0xE0 ? 2 : 1;
    unsigned long code = *byte & (0x3Fu >> more);
    if (*byte < 0xC2 || *byte > 0xF4)
        return NULL;
    for (int i = 1; i <= more; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return NULL;
        code = code << 6 | (byte[i] & 0x3F);
    }
    return code < least[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? NULL : at + more;
}

static const char *string_end(const char *at)
{
    for (at++; *at != '"'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte < ' ')
            return NULL;
        if (byte == '\\' && *++at == 'u') {
            for (int i = 0; i < 4; i++)
                if (!isxdigit((unsigned char)*++at))
                    return NULL;
        } else if (byte == '\\' && (!*at || !strchr("\"\\/bfnrt", *at)))
            return NULL;
        else if (byte >= 0x80 && !(at = character(at)))
            return NULL;
    }
    return at + 1;
}

static const char *digits(const char *at)
{
    size_t count = strspn(at, "0123456789");
    return count ? at + count : NULL;
}

static const char *number_end(const char *at)
{
    at += *at == '-';
    const char *end = *at == '0' ? at + 1 : digits(at);
    if (end && *end == '.')
        end = digits(end + 1);
    if (end && (*end == 'e' || *end == 'E'))
        end = digits(end + 1 + (end[1] == '+' || end[1] == '-'));
    return end;
}

static const char *members_end(const char *at, int depth)
{
    char open = *at, close = open == '{' ? '}' : ']';
    if (*(at = blank(at + 1)) == close)
        return at + 1;
    for (;; at = blank(at + 1)) {
        if (open == '{') {
            const char *end = *at == '"' ? string_end(at) : NULL;
            if (!end || *(at = blank(end)) != ':')
                return NULL;
            at = blank(at + 1);
        }
        if (!(at = value_end(at, depth)) || (*at != ',' && *at != close))
            return NULL;
        if (*at == close)
            return at + 1;
    }
}

static const char *value_end(const char *at, int depth)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *end = NULL;
    if (*at == '"')
        end = string_end(at);
    else if (*at == '{' || *at == '[')
        end = depth > 0 ? members_end(at, depth - 1) : NULL;
    else if (*at == '-' || isdigit((unsigned char)*at))
        end = number_end(at);
    for (int i = 0; i < 3; i++)
        if (!strncmp(at, words[i], strlen(words[i])))
            end = at + strlen(words[i]);
    return end ? blank(end) : NULL;
}

const char *json_end(const char *text) { return value_end(blank(text), DEEPEST); }

const char *json_member(const char *object, const char *name)
{
    const char *found = NULL, *at = object && json_end(object) ? blank(object) : "";
    size_t size = strlen(name);
    if (*at != '{')
        return NULL;
    while (*(at = blank(at + 1)) == '"') {
        const char *value = blank(blank(string_end(at)) + 1);
        if (!strncmp(at + 1, name, size) && at[1 + size] == '"')
            found = value;
        at = value_end(value, DEEPEST);
    }
    return found;
}
