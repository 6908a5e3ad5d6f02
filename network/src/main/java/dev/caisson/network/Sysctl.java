package dev.caisson.network;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.network.NetworkException.Code;
import java.util.Optional;

/// Settings of the network, /proc/sys/net, of the calling thread's network namespace.
final class Sysctl {
    private static final String TOP = "/proc/sys/net";

    private Sysctl() {}

    /// Returns the value of a setting; empty if this kernel has no such setting.
    static Optional<String> read(String name) {
        try (Fd top = open()) {
            return Optional.of(FileSystem.readText(top, name).strip());
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw unusable(name, e);
        }
    }

    static void write(String name, String value) {
        try (Fd top = open()) {
            FileSystem.writeText(top, name, value);
        } catch (ErrnoException e) {
            throw unusable(name, e);
        }
    }

    /// Sets it unless it has the value.
    static void set(String name, String value) {
        if (!read(name).equals(Optional.of(value))) {
            write(name, value);
        }
    }

    private static Fd open() {
        return FileSystem.open(TOP, FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
    }

    private static NetworkException unusable(String name, ErrnoException cause) {
        return new NetworkException(
                Code.NETWORKS_UNUSABLE,
                "the setting " + TOP + "/" + name + " cannot be used (" + Errno.name(cause.errno())
                        + "): run as root where /proc/sys is writable",
                cause);
    }
}
