/* JSON, as much of it as a device needs to read. */

const char *json_end(const char *text);     /* behind one value and the blanks after it; NULL: that is no JSON in UTF-8 */
const char *json_member(const char *object, const char *name);  /* its value (the last one's); NULL: there is none */
