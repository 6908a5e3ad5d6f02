package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.Bytes;
import java.util.function.LongConsumer;

/// How files are copied between a container and the host, or an archive.
///
/// @param limit most bytes of all files together; more is FILE_TOO_LARGE. What is copied to the host is never more than
///     its file system has left
/// @param progress is called with the bytes that were copied so far, in the thread that copies
public record CopyOptions(Bytes limit, Owner owner, LongConsumer progress) {
    /// Whom copied files belong to.
    public enum Owner {
        /// The program's user in a container, this process's user on the host.
        STANDARD,
        /// The container's root in a container, where it may pass over permissions; this process's user on the host.
        ROOT,
        /// Whoever has them where they come from, by number.
        SOURCE
    }

    /// Without a limit of its own, to the standard owner.
    public static final CopyOptions STANDARD = new CopyOptions(Bytes.UNLIMITED, Owner.STANDARD, _ -> {});

    public CopyOptions {
        present(limit, "limit");
        present(owner, "owner");
        present(progress, "progress");
    }

    public CopyOptions limit(Bytes value) {
        return new CopyOptions(value, owner, progress);
    }

    public CopyOptions owner(Owner value) {
        return new CopyOptions(limit, value, progress);
    }

    public CopyOptions progress(LongConsumer value) {
        return new CopyOptions(limit, owner, value);
    }
}
