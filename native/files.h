/*
 * The file service: one process in a container's user and mount namespace that does what its socket asks for with the container's
 * files. It is the last step of a plan (OP_FILES), has the container's ids, at most its capabilities, and a filter of its own.
 *
 * Every message is one SOCK_SEQPACKET packet, little-endian and packed. A request is `struct files_request`, then `path` bytes and
 * `other` bytes; a reply has its sequence number and 0 or a negated error number. One request gets one reply. A message that is
 * malformed ends the process.
 *
 * A path is relative to the directory that is served, the container's root or one below it: components of 1..255 bytes without
 * `.` and `..`, empty for that directory itself. It is resolved by openat2(2) beneath it, as its root. By default no symbolic link is followed: ELOOP. What is read is passed as a descriptor;
 * what is written comes through a file in memory that both map (FILES_BUFFER), so that this process writes it, and the container's
 * control group pays for it.
 */
#ifndef CAISSON_FILES_H
#define CAISSON_FILES_H

#include <stdint.h>

#define FILES_MAGIC 0x31465343u /* "CSF1" */
#define FILES_MAX_MESSAGE 16384u
#define FILES_MAX_PATH 4095u
#define FILES_MAX_DEPTH 100u	   /* of a tree that is removed */
#define FILES_MAX_HANDLES 64u
#define FILES_MAX_BUFFER (4u << 20)

enum files_op {
	FILES_STAT = 1,	  /* path -> files_stat, and a link's target */
	FILES_READ = 2,	  /* path -> files_stat, a read-only descriptor of a regular file; ENXIO for what holds no data */
	FILES_CREATE = 3, /* path, mode, [uid, gid] -> handle. A new file under a name of its own until FILES_COMMIT. Without FILES_MODE,
			     one that takes another's place keeps that one's owner and permissions */
	FILES_WRITE = 4,  /* handle, offset and length in the buffer -> value: bytes written, which may be fewer */
	FILES_COMMIT = 5, /* handle, [seconds, nanos] -> files_stat. Gives the file its name, in place of what has it; closes the handle */
	FILES_CLOSE = 6,  /* handle. A file without a name is removed */
	FILES_LIST = 7,	  /* path -> handle */
	FILES_NEXT = 8,	  /* handle -> value: count, then that many { u16 length, files_stat, name }; 0 at the end */
	FILES_MKDIR = 9,  /* path, mode, [uid, gid]; with FILES_PARENTS: also what is above it, and nothing if it is there */
	FILES_SYMLINK = 10, /* path, other: its target, [uid, gid] */
	FILES_LINK = 11,    /* path, other: the path of a file that is there */
	FILES_RENAME = 12,  /* path, other: its new path */
	FILES_REMOVE = 13,  /* path, length: most entries of a tree (FILES_RECURSIVE) -> value: entries removed */
	FILES_SET = 14,	    /* path, [mode], [uid, gid], [seconds, nanos] */
	FILES_WATCH = 15,   /* path -> an inotify(7) descriptor that watches it */
	FILES_BUFFER = 16,  /* length, a descriptor: a file in memory of that size */
	FILES_OPS
};

enum files_flag {
	FILES_FOLLOW_ABOVE = 1, /* symbolic links before the last component lead on, inside the root */
	FILES_FOLLOW = 2,	/* one that is the last, too: STAT, READ, LIST, SET, WATCH */
	FILES_NEW = 4,		/* CREATE, RENAME: EEXIST if there is something already */
	FILES_REPLACE = 8,	/* CREATE, SYMLINK, LINK: takes the place of anything but a directory */
	FILES_RECURSIVE = 16,
	FILES_PARENTS = 32,
	FILES_OWNER = 64,
	FILES_MODE = 128,
	FILES_TIME = 256,
	FILES_DATA = 512, /* LIST: ENXIO for a directory of a file system that the kernel makes up */
	FILES_FLAGS = 1023,
};

struct files_request {
	uint32_t magic;
	uint16_t op;
	uint16_t flags;
	uint32_t sequence;
	uint32_t mode; /* without set-user-ID and set-group-ID, which are dropped */
	uint32_t uid, gid;
	uint64_t offset, length;
	int64_t seconds;
	uint32_t nanos;
	uint32_t handle;
	uint16_t path, other; /* bytes of each */
} __attribute__((packed));

struct files_stat {
	uint32_t mode, uid, gid, links;
	uint64_t size, inode;
	int64_t seconds; /* of the last change of content */
	uint32_t nanos;
	uint32_t device; /* tells file systems apart */
} __attribute__((packed));

struct files_reply {
	uint32_t magic;
	uint32_t sequence;
	int32_t status;
	uint32_t handle;
	uint64_t value;
} __attribute__((packed));

_Static_assert(sizeof(struct files_request) == 60 && sizeof(struct files_stat) == 48 && sizeof(struct files_reply) == 24,
	       "the wire form is packed");

#endif
