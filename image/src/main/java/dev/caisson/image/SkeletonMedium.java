package dev.caisson.image;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Mounts;
import java.util.Map;
import java.util.Set;

/// The file system that holds the trees of the `host` image. In a pod the store is usually on an overlay,
/// which takes no id map, and no container could be shown a tree on it: there a tmpfs of a bounded size is
/// mounted over the directory. It goes with the pod. Images that are unpacked may be large, and stay where
/// they are.
final class SkeletonMedium {
    private static final long OVERLAYFS_SUPER_MAGIC = 0x794c7630L;
    private static final Map<String, String> OPTIONS = Map.of("size", "16m", "nr_inodes", "16k", "mode", "0700");

    private SkeletonMedium() {}

    /// Makes the directory and what it needs.
    /// @param store the directory above, open for reading
    static void prepare(Fd store, String name) {
        FileSystem.openOrMakeDirectory(store, name, 0700).close();
        if (isOnOverlay(store, name)) {
            FileLocks.lock(store); // until its descriptor is closed: one engine mounts, the others find it
            if (isOnOverlay(store, name)) {
                mount(store, name);
            }
        }
    }

    private static boolean isOnOverlay(Fd store, String name) {
        try (Fd directory = open(store, name)) {
            return FileSystem.type(directory) == OVERLAYFS_SUPER_MAGIC;
        }
    }

    private static void mount(Fd store, String name) {
        try (Fd memory = Mounts.memory(OPTIONS, Set.of(Mounts.Attribute.NO_SETUID, Mounts.Attribute.NO_DEVICES));
                Fd directory = open(store, name)) {
            Mounts.attach(memory, directory);
        } catch (ErrnoException e) {
            if (!e.is(Errno.EPERM)) { // who may not mount starts no container either
                throw e;
            }
        }
    }

    private static Fd open(Fd store, String name) {
        return FileSystem.openAt(
                store, name, FileSystem.O_PATH | FileSystem.O_DIRECTORY, 0, FileSystem.RESOLVE_NO_SYMLINKS);
    }
}
