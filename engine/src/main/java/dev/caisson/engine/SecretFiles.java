package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.launch.IdRange;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.SlotSource;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Mounts;
import dev.caisson.secret.Redaction;
import dev.caisson.secret.SecretAccess;
import dev.caisson.secret.SecretException;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.StoreStamp;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.SecretFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Values of one container's secrets, read before anything is changed for it, and the file system that
/// shows them: in memory that is never swapped, without a place in the host's tree, read-only as a whole.
final class SecretFiles implements AutoCloseable {
    private static final int TOP_MODE = 0755;
    private static final int MADE_MODE = 0600;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private static final int LONGEST_VARIABLE = 128 * 1024; // MAX_ARG_STRLEN

    /// The container that they are read for.
    private record Wanted(ContainerSpec spec, Optional<Digest> image, Path directory, String container) {}

    private final Map<SecretName, SecretValue> values = new LinkedHashMap<>();
    private final List<byte[]> variables = new ArrayList<>();
    private final Wanted wanted;
    private Optional<StoreStamp> stamp;
    private Optional<Fd> changeable = Optional.empty();

    private SecretFiles(Wanted wanted) {
        this.wanted = wanted;
        this.stamp = StoreStamp.of(wanted.directory());
    }

    /// Reads the current versions from the store, and looks for stored values in the texts of the spec. The
    /// store is opened only if the spec has secrets or texts that may have one; without secrets, one that
    /// is locked or not there is passed over.
    ///
    /// @param image the digest of its image, if that has one
    /// @param container for the log of accesses
    /// @throws dev.caisson.secret.SecretException SECRET_STORE_MISSING, SECRET_LOCKED, SECRET_UNKNOWN,
    ///     SECRET_EXPIRED, SECRET_DENIED, SECRET_TAMPERED
    /// @throws EngineException SECRET_IN_SPEC
    static SecretFiles read(
            ContainerSpec spec, Optional<Digest> image, SpecTexts texts, TextCheck check, String container) {
        var read = new SecretFiles(new Wanted(spec, image, check.directory(), container));
        List<SecretFile> wanted = SecretUpdate.files(spec);
        if (wanted.isEmpty() && (!Files.isDirectory(check.directory()) || !check.needsStore(texts))) {
            return read;
        }
        long began = System.nanoTime();
        try {
            return check.store().use(store -> {
                check.requireClean(texts, store);
                read.take(store);
                return read;
            });
        } catch (RuntimeException | Error e) {
            if (wanted.isEmpty() && isClosed(e)) {
                check.wasLocked(Duration.ofNanos(System.nanoTime() - began));
                return read;
            }
            read.close();
            throw e;
        }
    }

    private static boolean isClosed(Throwable e) {
        return e instanceof SecretException refused
                && (refused.reason() == SecretException.Code.SECRET_LOCKED
                        || refused.reason() == SecretException.Code.SECRET_STORE_MISSING);
    }

    private void take(SecretStore store) {
        for (SecretFile file : SecretUpdate.files(wanted.spec())) {
            values.computeIfAbsent(
                    file.secret(),
                    name -> store.deliver(
                            name, access -> allows(access, wanted.spec(), wanted.image()), wanted.container()));
        }
    }

    /// Reads the values again if the store has changed since: for a container that others find by now, which a
    /// change that came before did not find.
    /// @throws dev.caisson.secret.SecretException as [#read]
    void renew() {
        Optional<StoreStamp> present = StoreStamp.of(wanted.directory());
        if (values.isEmpty() || present.equals(stamp)) {
            return;
        }
        try (SecretStore store = SecretStore.open(wanted.directory(), Optional::empty)) {
            values.values().forEach(SecretValue::close);
            values.clear();
            take(store);
            stamp = present;
        }
    }

    /// True if the rules of a secret let a container have it.
    static boolean allows(SecretAccess access, ContainerSpec spec, Optional<Digest> image) {
        return access.allows(rule -> isImage(rule, spec.image(), image), spec.name(), spec.labels());
    }

    private static boolean isImage(String rule, Image image, Optional<Digest> digest) {
        if (digest.filter(known -> known.toString().equals(rule)).isPresent()
                || image.toString().equals(rule)) {
            return true;
        }
        if (!(image instanceof Image.Named named)) {
            return false;
        }
        try {
            ImageReference wanted = ImageReference.parse(rule);
            return wanted.registry().equals(named.reference().registry())
                    && wanted.repository().equals(named.reference().repository())
                    && wanted.tag().equals(named.reference().tag())
                    && (wanted.digest().isEmpty()
                            || wanted.digest().equals(named.reference().digest()));
        } catch (CaissonException e) {
            return false; // a rule that names no image
        }
    }

    /// Makes the detached mount of a plan's secrets, which is the caller's to close; nothing if the plan
    /// has none.
    Optional<Fd> mount(LaunchPlan plan) {
        for (SlotSource slot : plan.slots()) {
            if (slot instanceof SlotSource.Secrets secrets) {
                try {
                    return Optional.of(mount(secrets, plan));
                } catch (ErrnoException e) {
                    throw new EngineException(
                            "SECRET_MOUNT",
                            "memory for secrets could not be mounted (" + Errno.name(e.errno())
                                    + "): the kernel needs ramfs",
                            e);
                }
            }
        }
        return Optional.empty();
    }

    private Fd mount(SlotSource.Secrets secrets, LaunchPlan plan) {
        IdRange ids = plan.ids();
        Fd mount = Mounts.unswappedMemory(
                TOP_MODE,
                EnumSet.of(Mounts.Attribute.NO_SETUID, Mounts.Attribute.NO_DEVICES, Mounts.Attribute.NO_EXECUTION));
        try {
            FileSystem.changeOwner(mount, ".", ids.base(), ids.base());
            for (SlotSource.Secrets.Placed file : secrets.files()) {
                write(mount, file.file().text(), file, ids, value(file.secret()));
            }
            if (plan.mayMount()) {
                Mounts.seal(mount); // it could make its mount writable
                return readOnly(mount);
            }
            Optional<Fd> copy = copy(mount);
            if (copy.isEmpty()) {
                return readOnly(mount);
            }
            try {
                readOnly(copy.get());
            } catch (RuntimeException | Error e) {
                copy.get().close();
                throw e;
            }
            changeable = Optional.of(mount); // nobody else has this one
            return copy.get();
        } catch (RuntimeException | Error e) {
            mount.close();
            throw e;
        }
    }

    private static Fd readOnly(Fd mount) {
        Mounts.restrict(mount, EnumSet.of(Mounts.Attribute.READ_ONLY), false);
        return mount;
    }

    /// Copies a mount that is nowhere yet, so that its files can be changed later by the first one: since Linux 6.15.
    private static Optional<Fd> copy(Fd mount) {
        try {
            return Optional.of(Mounts.copy(mount, false));
        } catch (ErrnoException e) {
            if (e.is(Errno.EINVAL)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Returns what changes the files of the mount that was made last, which is the caller's to close; empty if they
    /// cannot be changed.
    Optional<ShownSecrets> changeable(LaunchPlan plan) {
        Optional<Fd> copy = changeable;
        changeable = Optional.empty();
        return copy.map(mount -> ShownSecrets.writable(plan, mount));
    }

    /// Returns the store as it was before the values were read.
    Optional<StoreStamp> stamp() {
        return stamp;
    }

    /// Returns words for the container in the log of accesses.
    String label() {
        return wanted.container();
    }

    Optional<Digest> image() {
        return wanted.image();
    }

    /// Makes a file that nobody reads before it has all of the value.
    static void write(Fd top, String name, SlotSource.Secrets.Placed placed, IdRange ids, SecretValue value) {
        int flags = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL;
        try (Fd file = FileSystem.openAt(top, name, flags, MADE_MODE, BENEATH)) {
            value.writeTo(file);
            FileSystem.changeOwner(file, ids.base() + placed.uid(), ids.base() + placed.gid());
            FileSystem.changeMode(file, placed.mode());
        }
    }

    /// Returns the variables that are to have values, as `NAME=value`; they are cleared with this.
    /// @throws EngineException SECRET_VARIABLE if a value cannot be one
    List<byte[]> variables(ContainerSpec spec) {
        for (SecretFile file : SecretUpdate.files(spec)) {
            file.asVariable().ifPresent(name -> variables.add(variable(file.secret(), name)));
        }
        return List.copyOf(variables);
    }

    private byte[] variable(SecretName secret, String name) {
        byte[] before = (name + "=").getBytes(StandardCharsets.US_ASCII);
        byte[] value = value(secret).copy();
        try {
            for (byte one : value) {
                if (one == 0) {
                    throw new EngineException(
                            "SECRET_VARIABLE",
                            "the secret " + secret + " has a zero byte, which no variable can have: leave env=" + name
                                    + " out, and have the program read the file");
                }
            }
            if (before.length + value.length >= LONGEST_VARIABLE) {
                throw new EngineException(
                        "SECRET_VARIABLE",
                        "the secret " + secret + " has " + value.length + " bytes, and a variable less than "
                                + LONGEST_VARIABLE + ": leave env=" + name
                                + " out, and have the program read the file");
            }
            byte[] variable = Arrays.copyOf(before, before.length + value.length);
            System.arraycopy(value, 0, variable, before.length, value.length);
            return variable;
        } finally {
            Arrays.fill(value, (byte) 0);
        }
    }

    private SecretValue value(SecretName secret) {
        SecretValue value = values.get(secret);
        if (value == null) {
            throw new IllegalStateException("the secret " + secret + " was not read");
        }
        return value;
    }

    /// Returns what takes the values out of output, which is the caller's to close; empty if there are none.
    Optional<Redaction> redaction() {
        return values.isEmpty() ? Optional.empty() : Optional.of(Redaction.of(values));
    }

    /// Returns what a monitor needs to take the values out of output, which is the caller's to close.
    Optional<Fd> table() {
        return redaction().flatMap(redaction -> {
            try (redaction) {
                return redaction.isEmpty() ? Optional.empty() : Optional.of(redaction.table());
            }
        });
    }

    /// Clears the values.
    @Override
    public void close() {
        changeable.ifPresent(Fd::close);
        variables.forEach(variable -> Arrays.fill(variable, (byte) 0));
        values.values().forEach(SecretValue::close);
    }
}
