package dev.caisson.engine;

import dev.caisson.launch.IdRange;
import dev.caisson.linux.Errno;
import dev.caisson.text.Quoted;

/// The error of each error number of the file service.
final class FileFailures {
    private FileFailures() {}

    static EngineException of(int errno, String path) {
        return switch (errno) {
            case Errno.ENOENT -> make("FILE_NOT_FOUND", path, "there is none", "make it, or correct the path");
            case Errno.EEXIST -> make("FILE_EXISTS", path, "it exists", "remove it first");
            case Errno.ELOOP ->
                make(
                        "FILE_IS_LINK",
                        path,
                        "it is, or leads through, a symbolic link, which the container may have put there",
                        "name where it leads, or use followingLinks(), where links lead in no circle");
            case Errno.EISDIR -> make("FILE_IS_DIRECTORY", path, "it is a directory", "name a file in it");
            case Errno.ENOTDIR -> make("FILE_NOT_DIRECTORY", path, "part of the path is no directory", "correct it");
            case Errno.ENOTEMPTY -> make("FILE_NOT_EMPTY", path, "the directory is not empty", "remove it first");
            case Errno.ENXIO ->
                make(
                        "FILE_SPECIAL",
                        path,
                        "it is a pipe, socket, device, secret or file of the kernel",
                        "name a regular file");
            case Errno.EACCES, Errno.EPERM ->
                make("FILE_DENIED", path, "the container may not do that itself", "give it the capability or owner");
            case Errno.EROFS ->
                make("FILE_READ_ONLY", path, "it is on a read-only mount", "use a path that is writable");
            case Errno.ENOSPC, Errno.EDQUOT ->
                make(
                        "FILE_SPACE",
                        path,
                        "the container's writable layer or volume is full",
                        "remove files or give it a larger --storage-opt size");
            case Errno.EFBIG ->
                make("FILE_TOO_LARGE", path, "it exceeds the container's limit of file size", "split it");
            case Errno.E2BIG ->
                make(
                        "FILE_TREE_TOO_LARGE",
                        path,
                        "it holds too many entries or is too deep",
                        "remove parts of it first");
            case Errno.ENAMETOOLONG -> make("FILE_PATH", path, "the name is too long", "shorten it");
            case Errno.EBUSY, Errno.EXDEV ->
                make("FILE_BUSY", path, "it is a mount point or on another mount", "work below it");
            default -> make("FILE_FAILED", path, "the kernel refused it (" + Errno.name(errno) + ")", "try again");
        };
    }

    private static EngineException make(String code, String path, String what, String advice) {
        return new EngineException(code, Quoted.of(path) + ": " + what + ": " + advice);
    }

    static EngineException tooLarge(String path, long limit) {
        return make("FILE_TOO_LARGE", path, "it is larger than " + limit + " bytes", "raise the limit");
    }

    static EngineException changed(String path) {
        return make("FILE_CHANGED", path, "it became shorter while it was copied", "copy it again");
    }

    static EngineException owner(String path, long uid, long gid) {
        return make(
                "FILE_OWNER",
                path,
                "its owner " + uid + ":" + gid + " has no number in the container",
                "give it one below " + IdRange.WIDTH + ", or copy without owners");
    }

    static EngineException path(String path, String what) {
        return make("FILE_PATH", path, what, "give an absolute path, as /box/file");
    }
}
