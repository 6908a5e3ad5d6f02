// What the tests run inside and outside of containers, told by its name or its first argument.
//   sshd                 does nothing, under that name
//   listen PORT          listens on that TCP port of every address
//   unix PATH            listens on a unix socket and says that it is ready
//   watch PATH...        loads audit rules for the directories and switches auditing on; waits; takes both back
#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct request {
  struct nlmsghdr header;
  union {
    struct audit_rule_data rule;
    struct audit_status status;
    char space[sizeof(struct audit_rule_data) + 4096];
  };
};

static int ask(int fd, struct request *request, int type, size_t size) {
  char answer[8192];
  struct nlmsghdr *header = (struct nlmsghdr *)answer;
  request->header.nlmsg_type = type;
  request->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  request->header.nlmsg_len = NLMSG_LENGTH(size);
  if (send(fd, request, request->header.nlmsg_len, 0) < 0) return errno;
  do
    if (recv(fd, answer, sizeof answer, 0) < 0) return errno;
  while (header->nlmsg_type != NLMSG_ERROR);
  return -((struct nlmsgerr *)NLMSG_DATA(header))->error;
}

static int rule(int fd, int type, const char *path) {
  struct request request = {0};
  struct audit_rule_data *rule = &request.rule;
  size_t length = strlen(path);
  rule->flags = AUDIT_FILTER_EXIT;
  rule->action = AUDIT_ALWAYS;
  rule->field_count = 2;
  memset(rule->mask, 0xff, sizeof rule->mask);
  rule->fields[0] = AUDIT_DIR;
  rule->fieldflags[0] = AUDIT_EQUAL;
  rule->values[0] = length;
  rule->fields[1] = AUDIT_PERM;
  rule->fieldflags[1] = AUDIT_EQUAL;
  rule->values[1] = AUDIT_PERM_WRITE | AUDIT_PERM_ATTR;
  rule->buflen = length;
  memcpy(rule->buf, path, length);
  return ask(fd, &request, type, sizeof *rule + length);
}

static int enable(int fd, int on) {
  struct request request = {0};
  request.status.mask = AUDIT_STATUS_ENABLED;
  request.status.enabled = on;
  return ask(fd, &request, AUDIT_SET, sizeof request.status);
}

int main(int count, char **words) {
  if (count > 1 && !strcmp(words[1], "watch")) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
    int failed = 0;
    for (int at = 2; at < count; at++) failed |= rule(fd, AUDIT_ADD_RULE, words[at]);
    failed |= enable(fd, 1);
    puts(failed ? strerror(failed) : "ready");
    fflush(stdout);
    getchar();
    enable(fd, 0);
    for (int at = 2; at < count; at++) rule(fd, AUDIT_DEL_RULE, words[at]);
    return 0;
  }
  if (count > 2 && !strcmp(words[1], "listen")) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(words[2]))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1)) return 1;
  }
  if (count > 2 && !strcmp(words[1], "unix")) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(address.sun_path, words[2], sizeof address.sun_path - 1);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1)) return 1;
    puts("ready");
    fflush(stdout);
  }
  for (;;) pause();
}
