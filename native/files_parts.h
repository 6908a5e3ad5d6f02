/* The file service's state, and its functions by file. Single-threaded; nothing is allocated. */
#ifndef CAISSON_FILES_PARTS_H
#define CAISSON_FILES_PARTS_H

#include "files.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Of a request's mode: no set-user-ID or set-group-ID, which on a volume might count on the host. */
enum { FILES_PERMISSIONS = 01777 };

struct handle {
	int fd; /* -1: free */
	bool directory;
	int parent; /* of a file: where it gets its name */
	char name[NAME_MAX + 1], made[32]; /* the name that it gets, and the one that it has until then */
	bool fresh; /* nothing may have the name */
	uint64_t size;
};

struct files {
	int root, self; /* the container's root; /proc/self/fd, to open by descriptor what was looked at */
	uint8_t *buffer;
	uint64_t buffer_size;
	struct handle handle[FILES_MAX_HANDLES];
};

/* A request whose lengths were checked; both texts end with a NUL. */
struct asked {
	struct files_request head;
	char path[FILES_MAX_PATH + 1], other[FILES_MAX_PATH + 1];
	int fd; /* that came with it, or -1 */
};

struct told {
	struct files_reply head;
	uint8_t payload[FILES_MAX_MESSAGE];
	uint32_t length;
	int fd; /* goes with it, or -1; closed afterwards */
};

/* files_paths.c */
int files_parent(const struct files *files, const char *path, uint32_t flags, const char **name);
int files_look(const struct files *files, const char *path, uint32_t flags, struct stat *stat);
int files_reopen(const struct files *files, int path_fd, int flags);
bool files_is_made_up(int fd);
bool files_valid_path(const char *path, uint32_t length);
struct files_stat files_stat_of(const struct stat *stat);

/* files_write.c */
typedef int files_action(struct files *, const struct asked *, struct told *);
files_action files_create, files_write, files_commit, files_close, files_buffer;
void files_discard_all(struct files *files);
struct handle *files_free_handle(struct files *files, struct told *told);
struct handle *files_handle(struct files *files, uint32_t number, bool directory);

/* files_tree.c */
files_action files_list, files_next, files_mkdir, files_symlink, files_link, files_rename, files_remove, files_set, files_watch;
int files_own(const struct asked *asked, int at, const char *name);

/* files_confine.c */
int files_confine(void);

#endif
