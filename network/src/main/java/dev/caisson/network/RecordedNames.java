package dev.caisson.network;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import dev.caisson.network.names.NameTable;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Subnet;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The names that containers see, of the records of [NetworkRecords]. It waits for nobody who changes them: what it
/// reads while somebody does is read again, every 20 ms at most. What cannot be read leaves what was read before.
/// For one thread.
final class RecordedNames implements AutoCloseable {
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final String JSON = ".json";
    private static final int LONGEST = 1 << 20;
    private static final long PATIENCE_NANOS = 20_000_000;
    private static final long UNSETTLED = -1;
    /// Nobody is known, and nobody outside is asked.
    private static final NameTable UNKNOWN = new NameTable(Map.of(), Map.of(), List.of(), false);

    private final Fd directory;
    private final Fd lock;
    private final Fd networkFiles;
    private final Fd containerFiles;
    private final byte[] counted = new byte[Long.BYTES];
    private final Map<ContainerId, NameTable> tables = new HashMap<>();
    private Map<ContainerId, ContainerNetworks> containers = Map.of();
    private long seen = UNSETTLED;
    private long readAt;
    private boolean hasRead;

    /// @param path of the directory, which is there
    RecordedNames(Path path) {
        directory = FileSystem.open(path.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        lock = FileSystem.openAt(directory, "lock", FileSystem.O_RDONLY, 0, BENEATH);
        networkFiles = open(directory, "networks");
        containerFiles = open(directory, "containers");
    }

    private static Fd open(Fd directory, String name) {
        return FileSystem.openAt(directory, name, FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, BENEATH);
    }

    /// Returns the names that a container sees at the moment; one that has no place sees none.
    NameTable of(ContainerId container) {
        refresh();
        return tables.computeIfAbsent(container, this::table);
    }

    /// Returns what is recorded of a container; empty if it has no place.
    Optional<ContainerNetworks> record(ContainerId container) {
        refresh();
        return Optional.ofNullable(containers.get(container));
    }

    /// Returns the container that has an address.
    Optional<ContainerId> at(InetAddress address) {
        refresh();
        return containers.values().stream()
                .filter(one -> one.addresses(address.getAddress().length != 4).anyMatch(address::equals))
                .map(ContainerNetworks::container)
                .findFirst();
    }

    /// Reads at this moment what a container may send to; empty if it has no place, or its record cannot be read.
    Optional<Egress> egressNow(ContainerId container) {
        return text(containerFiles, container.value() + JSON).flatMap(text -> {
            try {
                return Optional.of(RecordJson.egress(Json.parseObject(text, Json.Limits.DEFAULT)));
            } catch (MalformedJsonException | IllegalArgumentException | ClassCastException e) {
                return Optional.empty();
            }
        });
    }

    /// Returns what the tables of the packet filter are called.
    String tables() {
        return "caisson-" + text(directory, "identity").orElseThrow(() -> new IllegalStateException("no identity"));
    }

    private void refresh() {
        long count = count();
        boolean settled = (count & 1) == 0;
        if (count == seen && settled) {
            return;
        }
        long now = System.nanoTime();
        if (hasRead && seen == UNSETTLED && now - readAt < PATIENCE_NANOS) {
            return;
        }
        readAt = now;
        try {
            containers = read();
            tables.clear();
            hasRead = true;
            seen = settled && count() == count ? count : UNSETTLED;
        } catch (ErrnoException e) { // a file was removed between two calls
            seen = UNSETTLED;
        }
    }

    private long count() {
        return FileContent.readAt(lock, counted, 0) < counted.length
                ? 0
                : ByteBuffer.wrap(counted).getLong();
    }

    private Map<ContainerId, ContainerNetworks> read() {
        var networks = new HashMap<String, NetworkInfo>();
        for (Map<?, ?> fields : records(networkFiles)) {
            try {
                NetworkInfo network = RecordJson.network(fields);
                networks.put(network.id(), network);
            } catch (IllegalArgumentException | ClassCastException e) {
                // whoever changes networks says so
            }
        }
        var read = new HashMap<ContainerId, ContainerNetworks>();
        for (Map<?, ?> fields : records(containerFiles)) {
            try {
                ContainerNetworks container = RecordJson.container(fields, networks);
                if (!container.vacant()) {
                    read.put(container.container(), container);
                }
            } catch (IllegalArgumentException | ClassCastException e) {
                // it is given another place when it starts
            }
        }
        return read;
    }

    private static List<Map<?, ?>> records(Fd files) {
        var records = new ArrayList<Map<?, ?>>();
        for (String name : DirectoryEntries.of(files)) {
            if (name.endsWith(JSON) && !name.startsWith(".")) {
                text(files, name).ifPresent(text -> {
                    try {
                        records.add(Json.parseObject(text, Json.Limits.DEFAULT));
                    } catch (MalformedJsonException e) {
                        // as above
                    }
                });
            }
        }
        return records;
    }

    private static Optional<String> text(Fd files, String name) {
        return FileSystem.find(files, name, FileSystem.O_RDONLY, BENEATH).map(found -> {
            try (Fd file = found) {
                return new String(FileSystem.read(file, LONGEST), StandardCharsets.UTF_8);
            }
        });
    }

    private NameTable table(ContainerId id) {
        ContainerNetworks own = containers.get(id);
        if (own == null) {
            return UNKNOWN;
        }
        var addresses = new HashMap<String, Set<InetAddress>>();
        var names = new HashMap<InetAddress, String>();
        var subnets = new ArrayList<Subnet>();
        for (Attachment place : own.attachments()) {
            place.ip4().ifPresent(address -> subnets.add(address.subnet()));
            place.ip6().ifPresent(address -> subnets.add(address.subnet()));
            for (ContainerNetworks other : containers.values()) {
                other.attachments().stream()
                        .filter(one -> one.networkId().equals(place.networkId()))
                        .forEach(one -> add(one, addresses, names));
            }
        }
        own.attachments().forEach(place -> addLinks(place, addresses));
        var found = new HashMap<String, List<InetAddress>>();
        addresses.forEach((name, all) -> found.put(name, List.copyOf(all)));
        own.outward(false)
                .ifPresent(place -> own.gates().stream()
                        .filter(gate -> !gate.isOfGreetings())
                        .forEach(gate -> found.put(gate.host(), List.of(place.gateway()))));
        boolean leadsOut = own.attachments().stream().anyMatch(place -> !place.internal());
        Optional<NameTable.Greeted> greeted = own.outward(false)
                .flatMap(place -> own.egress() instanceof Egress.Listed listed && listed.greets()
                        ? Optional.of(new NameTable.Greeted(listed::greets, place.gateway()))
                        : Optional.empty());
        return new NameTable(found, names, subnets, leadsOut, greeted);
    }

    /// Its own names for others come before what these are called, as Docker has it.
    private static void addLinks(Attachment place, Map<String, Set<InetAddress>> addresses) {
        for (Attachment.Linked link : place.links()) {
            String alias = link.alias().toLowerCase(Locale.ROOT);
            if (NameTable.isName(alias)) {
                var both = new LinkedHashSet<InetAddress>();
                link.ip4().ifPresent(both::add);
                link.ip6().ifPresent(both::add);
                addresses.put(alias, both);
            }
        }
    }

    private static void add(Attachment one, Map<String, Set<InetAddress>> addresses, Map<InetAddress, String> names) {
        String shortId = one.container().shortForm();
        var all = new LinkedHashSet<String>();
        for (String alias : one.aliases()) {
            String name = alias.toLowerCase(Locale.ROOT);
            all.add(name);
            all.add(name + "." + one.network().toLowerCase(Locale.ROOT));
        }
        all.add(shortId);
        all.removeIf(name -> !NameTable.isName(name));
        // The container's own name is the last alias.
        String known =
                one.aliases().isEmpty() ? shortId : one.aliases().getLast().toLowerCase(Locale.ROOT);
        String asked = known + "." + one.network().toLowerCase(Locale.ROOT);
        String full = NameTable.isName(asked) ? asked : shortId;
        for (Optional<Attachment.Address> address : List.of(one.ip4(), one.ip6())) {
            address.ifPresent(given -> {
                all.forEach(name -> addresses
                        .computeIfAbsent(name, _ -> new LinkedHashSet<>())
                        .add(given.address()));
                names.put(given.address(), full);
            });
        }
    }

    @Override
    public void close() {
        directory.close();
        lock.close();
        networkFiles.close();
        containerFiles.close();
    }
}
