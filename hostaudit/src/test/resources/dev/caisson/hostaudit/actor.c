// What the tests run inside and outside of containers, told by its name or its first argument.
//   sshd                 does nothing, under that name
//   listen PORT          listens on that TCP port of every address
//   unix PATH            listens on a unix socket and says that it is ready
//   ambient              keeps its capabilities over exec, as ambient ones, and idles
//   serve PORT DIRECTORY gives files to HTTP clients on the loopback interface, as a registry gives images
//   watch PATH...        loads audit rules for the directories and switches auditing on; waits; takes both back
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/* capabilities(7): a capability becomes ambient only while it is permitted and inheritable */
static int keep(int capability) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2];
  if (syscall(SYS_capget, &header, sets)) return -1;
  sets[0].inheritable |= 1U << capability;
  if (syscall(SYS_capset, &header, sets)) return -1;
  return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
}

/* One request a connection: the name of a file below the working directory, or the question whether this is a registry. */
static void answer(int client) {
  char request[4096], verb[8], path[1024];
  size_t size = 0;
  struct stat status = {0};
  int file = -1, found = 0;
  while (size + 1 < sizeof request && !(size && strstr(request, "\r\n\r\n"))) {
    ssize_t more = read(client, request + size, sizeof request - 1 - size);
    /* a client tries TLS first */
    if (more <= 0 || (request[0] != 'G' && request[0] != 'H')) return;
    size += more;
    request[size] = 0;
  }
  if (sscanf(request, "%7s /%1023s", verb, path) != 2 || strstr(path, "..")) return;
  found = !strcmp(path, "v2/");
  if (!found && (file = open(path, O_RDONLY)) >= 0) found = !fstat(file, &status) && S_ISREG(status.st_mode);
  dprintf(client, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %ld\r\n\r\n",
          found ? "200 OK" : "404 Not Found",
          strstr(path, "/manifests/") ? "application/vnd.docker.distribution.manifest.v2+json" : "application/octet-stream",
          (long)status.st_size);
  if (file >= 0 && found && !strcmp(verb, "GET"))
    while (sendfile(client, file, NULL, status.st_size) > 0);
}

static int serve(int port, const char *directory) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  signal(SIGCHLD, SIG_IGN);
  if (chdir(directory) || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 16)) return 1;
  puts("ready");
  fflush(stdout);
  for (;;) {
    int client = accept(fd, NULL, NULL);
    if (client < 0) return 1;
    if (!fork()) {
      answer(client);
      _exit(0);
    }
    close(client);
  }
}

int main(int count, char **words) {
  if (count > 1 && !strcmp(words[1], "ambient") && keep(CAP_CHOWN)) return 1;
  if (count > 3 && !strcmp(words[1], "serve")) return serve(atoi(words[2]), words[3]);
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
