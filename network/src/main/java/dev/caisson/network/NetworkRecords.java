package dev.caisson.network;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.PortMapping;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// The records of networks and of containers on them, for all processes that use one directory.
///
/// ```
/// DIRECTORY/identity              names this directory in the kernel
///           lock                  locked by who reads or changes; a count of the changes, odd during one, and the id
///                                 of the container whose list of destinations is changed by it
///           forwarding.json       what of the host was changed for our sake
///           rules.json            what stands for the rules that the kernel had once they were made
///           networks/ID.json
///           containers/ID.json    places on networks, and published ports
/// ```
///
/// A record is written before the kernel is asked for what it says, and removed after that is gone. What was read is
/// kept until the count says that somebody changed it. A count that is found odd shows that a change was not finished,
/// so that the kernel must be compared with the records.
final class NetworkRecords implements AutoCloseable {
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    /// Words of `--network` that name no network.
    private static final Set<String> MODES = Set.of("none", "host");

    private static final String IDENTITY = "identity";
    private static final String LOCK = "lock";
    private static final String FORWARDING = "forwarding.json";
    private static final String RULES = "rules.json";
    private static final String UNFINISHED = ".";
    private static final String JSON = ".json";
    private static final String NOBODY = " ".repeat(64);
    private static final int IDENTITY_BYTES = 4;
    private static final int MOST = 1 << 20;
    private static final int PRIVATE = 0700;

    private final Fd directory;
    private final Fd networkFiles;
    private final Fd containerFiles;
    private final Fd lock;
    private final Map<String, NetworkInfo> networks = new LinkedHashMap<>();
    private final Map<ContainerId, ContainerNetworks> containers = new LinkedHashMap<>();
    private Forwarding.Changed forwarding;
    private long seen = -1;

    private NetworkRecords(Fd directory, Fd networkFiles, Fd containerFiles, Fd lock) {
        this.directory = directory;
        this.networkFiles = networkFiles;
        this.containerFiles = containerFiles;
        this.lock = lock;
        this.forwarding = Forwarding.Changed.nothing(Forwarding.boot());
    }

    /// Opens the directory, whose parent is there, and makes what is not there.
    static NetworkRecords open(Path path) {
        try (Fd above = FileSystem.open(
                Objects.requireNonNull(path.toAbsolutePath().getParent()).toString(),
                FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            Fd directory =
                    FileSystem.openOrMakeDirectory(above, path.getFileName().toString(), PRIVATE);
            requireTrusted(directory, path);
            return new NetworkRecords(
                    directory,
                    FileSystem.openOrMakeDirectory(directory, "networks", PRIVATE),
                    FileSystem.openOrMakeDirectory(directory, "containers", PRIVATE),
                    FileSystem.openAt(directory, LOCK, FileSystem.O_RDWR | FileSystem.O_CREAT, 0600, BENEATH));
        } catch (ErrnoException e) {
            throw new NetworkException(
                    Code.NETWORKS_UNUSABLE,
                    "the directory " + path + " of networks cannot be used (" + e.getMessage() + "): run as root",
                    e);
        }
    }

    private static void requireTrusted(Fd directory, Path path) {
        FileStatus status = FileSystem.status(directory);
        if (status.uid() != 0 || (status.permissions() & 077) != 0) {
            directory.close();
            throw new NetworkException(
                    Code.NETWORKS_UNUSABLE,
                    path + " must belong to root and be closed to others: chown root " + path + "; chmod 700 " + path);
        }
    }

    /// The records, held against other processes until it is closed.
    final class Held implements AutoCloseable {
        private long count;
        private final boolean interrupted;

        private Held() {
            FileLocks.lock(lock);
            try {
                count = count();
                interrupted = (count & 1) != 0;
                if (count != seen || interrupted) {
                    load();
                }
                seen = count;
            } catch (RuntimeException e) {
                unlock();
                throw e;
            }
        }

        /// True if whoever held them before did not come to the end of a change.
        boolean wasInterrupted() {
            return interrupted;
        }

        /// Says that records or the kernel are changed from here on.
        void begin() {
            if ((count & 1) == 0) {
                write(count + 1, NOBODY);
            }
        }

        /// The same for a change of what a container may send to: who repairs it ends its connections, too.
        void beginLimit(ContainerId container) {
            write(count | 1, container.value());
        }

        /// Returns the container of such a change that did not come to its end.
        Optional<ContainerId> interruptedLimit() {
            byte[] bytes = new byte[NOBODY.length()];
            if (!interrupted || FileContent.readAt(lock, bytes, Long.BYTES) < bytes.length) {
                return Optional.empty();
            }
            return Optional.of(ByteText.of(bytes)).filter(ContainerId::isValid).map(ContainerId::new);
        }

        /// Says that records and kernel agree. A change that is not finished is repaired by who holds them next.
        void finish() {
            if ((count & 1) != 0) {
                write(count + 1, NOBODY);
            }
        }

        private void write(long next, String limited) {
            byte[] bytes = ByteBuffer.allocate(Long.BYTES + limited.length())
                    .putLong(next)
                    .put(limited.getBytes(StandardCharsets.US_ASCII))
                    .array();
            FileContent.writeAt(lock, bytes, 0, bytes.length, 0);
            count = next;
            seen = next;
        }

        @Override
        public void close() {
            unlock();
        }
    }

    Held hold() {
        return new Held();
    }

    private void unlock() {
        FileLocks.unlock(lock);
    }

    private long count() {
        byte[] bytes = new byte[Long.BYTES];
        return FileContent.readAt(lock, bytes, 0) < bytes.length
                ? 0
                : ByteBuffer.wrap(bytes).getLong();
    }

    /// Returns what names this directory among those of one kernel, made once. Not for who holds the records: it takes
    /// their lock where two processes may be the first.
    String identity() {
        return text(directory, IDENTITY).orElseGet(this::makeIdentity);
    }

    private String makeIdentity() {
        FileLocks.lock(lock);
        try {
            Optional<String> there = text(directory, IDENTITY);
            if (there.isPresent()) {
                return there.get();
            }
            String made = HexFormat.of().formatHex(KernelRandom.bytes(IDENTITY_BYTES));
            write(directory, IDENTITY, made, true);
            return made;
        } finally {
            unlock();
        }
    }

    private void load() {
        networks.clear();
        containers.clear();
        for (String name : DirectoryEntries.of(networkFiles)) {
            if (finished(networkFiles, name)) {
                NetworkInfo network = network(name);
                networks.put(network.id(), network);
            }
        }
        for (String name : DirectoryEntries.of(containerFiles)) {
            if (finished(containerFiles, name)) {
                container(name).ifPresent(container -> containers.put(container.container(), container));
            }
        }
        forwarding = text(directory, FORWARDING)
                .flatMap(NetworkRecords::forwarding)
                .filter(changed -> changed.boot().equals(Forwarding.boot()))
                .orElseGet(() -> Forwarding.Changed.nothing(Forwarding.boot()));
    }

    private static boolean finished(Fd files, String name) {
        if (name.startsWith(UNFINISHED)) {
            FileSystem.removeFile(files, name);
            return false;
        }
        return name.endsWith(JSON);
    }

    private NetworkInfo network(String file) {
        try {
            return RecordJson.network(Json.parseObject(text(networkFiles, file).orElse(""), Json.Limits.DEFAULT));
        } catch (MalformedJsonException | IllegalArgumentException | ClassCastException e) {
            throw RecordJson.unreadable(file, e);
        }
    }

    /// One that was not written whole before a power failure belongs to a container that does not run any more: it is
    /// given another place when it starts.
    private Optional<ContainerNetworks> container(String file) {
        try {
            return Optional.of(RecordJson.container(
                    Json.parseObject(text(containerFiles, file).orElse(""), Json.Limits.DEFAULT), networks));
        } catch (MalformedJsonException | IllegalArgumentException | ClassCastException e) {
            return Optional.empty();
        }
    }

    private static Optional<Forwarding.Changed> forwarding(String text) {
        try {
            return Optional.of(RecordJson.forwarding(Json.parseObject(text, Json.Limits.DEFAULT)));
        } catch (MalformedJsonException | IllegalArgumentException | ClassCastException e) {
            return Optional.empty();
        }
    }

    Map<String, NetworkInfo> networks() {
        return networks;
    }

    /// Returns a network by its name, else by the beginning of its id.
    ///
    /// @throws NetworkException NETWORK_NOT_FOUND, NETWORK_AMBIGUOUS
    NetworkInfo find(String nameOrId) {
        String wanted = nameOrId.equals(Networks.DEFAULT_TOO) ? Networks.DEFAULT : nameOrId;
        List<NetworkInfo> all = List.copyOf(networks.values());
        List<NetworkInfo> found =
                all.stream().filter(one -> one.name().equals(wanted)).toList();
        if (found.isEmpty() && !wanted.isEmpty()) {
            found = all.stream().filter(one -> one.id().startsWith(wanted)).toList();
        }
        if (found.size() > 1) {
            throw new NetworkException(
                    Code.NETWORK_AMBIGUOUS, found.size() + " networks match '" + nameOrId + "': give more of the id");
        }
        return found.stream().findFirst().orElseThrow(() -> notFound(nameOrId));
    }

    private static NetworkException notFound(String nameOrId) {
        return new NetworkException(
                Code.NETWORK_NOT_FOUND,
                MODES.contains(nameOrId)
                        ? nameOrId + " is no network that can be shown or changed: give --network " + nameOrId
                                + " to 'caisson run' or 'create'"
                        : "network " + nameOrId + " not found: see 'caisson network ls', or make it with"
                                + " 'caisson network create'");
    }

    Map<ContainerId, ContainerNetworks> containers() {
        return containers;
    }

    /// True if a port of the host leads to a container.
    boolean isPublished(PortMapping port) {
        return PortRules.isPublished(port, containers.values());
    }

    Forwarding.Changed forwarding() {
        return forwarding;
    }

    /// Writes a network down so that a power failure does not take it.
    void put(NetworkInfo network) {
        write(networkFiles, network.id() + JSON, RecordJson.text(RecordJson.fields(network)), true);
        networks.put(network.id(), network);
    }

    void remove(NetworkInfo network) {
        FileSystem.removeFile(networkFiles, network.id() + JSON);
        networks.remove(network.id());
    }

    void put(ContainerNetworks container) {
        write(containerFiles, container.container() + JSON, RecordJson.text(RecordJson.fields(container)), false);
        containers.put(container.container(), container);
    }

    void remove(ContainerNetworks container) {
        FileSystem.removeFile(containerFiles, container.container() + JSON);
        containers.remove(container.container());
    }

    void put(Forwarding.Changed changed) {
        write(directory, FORWARDING, RecordJson.text(RecordJson.fields(changed)), true);
        forwarding = changed;
    }

    /// Writes down what stands for the rules that were made, by the names of their chains.
    void putRules(Map<String, String> fingerprints) {
        write(directory, RULES, RecordJson.text(new LinkedHashMap<>(fingerprints)), false);
    }

    /// Returns what was written down when the rules were made; nothing if that is not there.
    Map<String, String> rules() {
        var rules = new LinkedHashMap<String, String>();
        try {
            text(directory, RULES)
                    .map(text -> Json.parseObject(text, Json.Limits.DEFAULT))
                    .ifPresent(all -> all.forEach((chain, hash) -> rules.put(chain, (String) hash)));
        } catch (MalformedJsonException | ClassCastException e) {
            return Map.of();
        }
        return rules;
    }

    /// It is there whole or not at all, whenever this process ends.
    private static void write(Fd files, String name, String text, boolean lasting) {
        String partial = UNFINISHED + name;
        try (Fd file = FileSystem.openAt(
                files, partial, FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_TRUNC, 0600, BENEATH)) {
            FileSystem.write(file, text.getBytes(StandardCharsets.UTF_8));
            if (lasting) {
                FileSystem.synchronize(file);
            }
        }
        FileSystem.rename(files, partial, files, name, true);
        if (lasting) {
            FileSystem.synchronize(files);
        }
    }

    private static Optional<String> text(Fd files, String name) {
        return FileSystem.find(files, name, FileSystem.O_RDONLY, BENEATH).map(found -> {
            try (Fd file = found) {
                return new String(FileSystem.read(file, MOST), StandardCharsets.UTF_8);
            }
        });
    }

    @Override
    public void close() {
        lock.close();
        containerFiles.close();
        networkFiles.close();
        directory.close();
    }
}
