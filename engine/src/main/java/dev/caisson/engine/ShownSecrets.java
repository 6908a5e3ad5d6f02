package dev.caisson.engine;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.SlotSource;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Mounts;
import dev.caisson.secret.Redaction;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The secrets that a container has in its file system, to be changed or taken away. Its own mount stays read-only.
final class ShownSecrets implements AutoCloseable {
    /// No secret has such a name.
    private static final String NEXT = "..next";

    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int PIECE = 8192;

    private final LaunchPlan plan;
    private final Fd top;

    /// @param mount a detached mount of the file system, which is not that of the container
    ShownSecrets(LaunchPlan plan, Fd mount) {
        this(FileSystem.openAt(writable(mount), ".", FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, BENEATH), plan);
    }

    private ShownSecrets(Fd top, LaunchPlan plan) {
        this.plan = plan;
        this.top = top;
    }

    private static Fd writable(Fd mount) {
        Mounts.allow(mount, EnumSet.of(Mounts.Attribute.READ_ONLY));
        return mount;
    }

    /// Makes one of a detached mount that is writable, which is closed with it: to close one waits for all processors.
    static ShownSecrets writable(LaunchPlan plan, Fd mount) {
        return new ShownSecrets(mount, plan);
    }

    static List<SlotSource.Secrets.Placed> files(LaunchPlan plan) {
        return plan.slots().stream()
                .filter(SlotSource.Secrets.class::isInstance)
                .flatMap(slot -> ((SlotSource.Secrets) slot).files().stream())
                .toList();
    }

    private List<SlotSource.Secrets.Placed> files(SecretName secret) {
        return files(plan).stream().filter(file -> file.secret().equals(secret)).toList();
    }

    /// Returns what takes the present values and further ones out of output, which is the caller's to close.
    Redaction redaction(List<Map.Entry<SecretName, SecretValue>> more) {
        var values = new ArrayList<Map.Entry<SecretName, SecretValue>>();
        try {
            for (SlotSource.Secrets.Placed file : files(plan)) {
                read(file).ifPresent(value -> values.add(Map.entry(file.secret(), value)));
            }
            var all = new ArrayList<>(values);
            all.addAll(more);
            return Redaction.of(all);
        } finally {
            values.forEach(one -> one.getValue().close());
        }
    }

    private Optional<SecretValue> read(SlotSource.Secrets.Placed placed) {
        Optional<Fd> found = FileSystem.find(top, placed.file().text(), FileSystem.O_RDONLY, BENEATH);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        try (Fd file = found.get();
                InputStream in = Files.newInputStream(Path.of("/proc/self/fd/" + file.number()))) {
            return Optional.of(SecretValue.read(in));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// True if a file of the secret has another value than the store, or is not there.
    boolean isOld(SecretName secret, SecretStore store) {
        for (SlotSource.Secrets.Placed file : files(secret)) {
            Optional<SecretValue> found = read(file);
            if (found.isEmpty()) {
                return true;
            }
            try (SecretValue value = found.get()) {
                if (!store.isCurrent(secret, value)) {
                    return true;
                }
            }
        }
        return false;
    }

    /// Puts a value in the place of the one before, in each of the secret's files at once. Who has opened a file before
    /// reads the former value to its end.
    void put(SecretName secret, SecretValue value) {
        for (SlotSource.Secrets.Placed file : files(secret)) {
            wipe(NEXT); // of an update that was killed
            try {
                SecretFiles.write(top, NEXT, file, plan.ids(), value);
                FileSystem.rename(top, NEXT, top, file.file().text(), true);
            } catch (RuntimeException | Error e) {
                wipe(NEXT);
                throw e;
            }
        }
    }

    /// Overwrites the secret's files, also for those who have them open, and removes them. Does the same with the
    /// file that an update has left that was killed.
    /// @return true if there was one
    boolean wipe(SecretName secret) {
        boolean any = wipe(NEXT);
        for (SlotSource.Secrets.Placed file : files(secret)) {
            any |= wipe(file.file().text());
        }
        return any;
    }

    private boolean wipe(String name) {
        try (Fd file = FileSystem.openAt(top, name, FileSystem.O_WRONLY, 0, BENEATH)) {
            long left = FileSystem.status(file).size();
            while (left > 0) {
                int piece = (int) Math.min(left, PIECE);
                FileSystem.write(file, new byte[piece]);
                left -= piece;
            }
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return false;
            }
            throw e;
        }
        FileSystem.removeFile(top, name);
        return true;
    }

    @Override
    public void close() {
        top.close();
    }
}
