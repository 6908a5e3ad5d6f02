package dev.caisson.engine;

import dev.caisson.gate.Authority;
import dev.caisson.gate.HostTrust;
import dev.caisson.gate.JavaStores;
import dev.caisson.image.ImageTree;
import dev.caisson.image.Rootfs;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Gate;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/// Files of containers with gates, in the state directory: the authority, for whoever serves the gates, and the
/// certificates that the container is shown, those of its image and the authority's.
final class GateFiles {
    private static final String DIRECTORY = "gates";
    private static final String AUTHORITY = "authority";
    private static final String CERTIFICATES = "certificates";
    private static final int MOST_BYTES = 4 << 20;
    private static final int PRIVATE = 0700;
    private static final int OWN_FILE = 0600;
    private static final int SHOWN_FILE = 0444;
    private static final long IN_IMAGE = FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_MAGICLINKS;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private GateFiles() {}

    /// Makes the files of a container anew.
    static void make(Path state, ContainerId id, List<Gate> gates, Rootfs rootfs) {
        Authority authority = Authority.create(
                "container " + id.shortForm(), gates.stream().map(Gate::host).toList());
        byte[] image = bundle(rootfs);
        var shown = new ByteArrayOutputStream();
        shown.writeBytes(image);
        if (image.length > 0 && image[image.length - 1] != '\n') {
            shown.write('\n');
        }
        shown.writeBytes(authority.pem().getBytes(StandardCharsets.US_ASCII));
        try (Fd top = directory(state)) {
            FileSystem.removeTree(top, id.value());
            try (Fd own = directory(top, id.value())) {
                write(own, AUTHORITY, authority.text().getBytes(StandardCharsets.US_ASCII), OWN_FILE);
                write(own, CERTIFICATES, shown.toByteArray(), SHOWN_FILE);
                java(rootfs)
                        .forEach((path, store) -> JavaStores.with(store, authority)
                                .ifPresent(more -> write(own, javaName(path), more, SHOWN_FILE)));
            }
        }
    }

    /// Returns the image's stores of certificates for Java, by path.
    private static Map<String, byte[]> java(Rootfs rootfs) {
        var stores = new LinkedHashMap<String, byte[]>();
        try (ImageTree tree = rootfs.tree()) {
            JavaHomes.stores(tree.root(), javaHome(rootfs))
                    .forEach(path -> read(tree.root(), path).ifPresent(store -> stores.put(path, store)));
        }
        return stores;
    }

    private static String javaHome(Rootfs rootfs) {
        return rootfs.config().env().getOrDefault("JAVA_HOME", "");
    }

    private static String javaName(String path) {
        return "java-" + path.replace('/', ':'); // a path has none, so that each has a name of its own
    }

    private static Fd directory(Path state) {
        try (Fd opened = FileSystem.open(state.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            return directory(opened, DIRECTORY);
        }
    }

    private static Fd directory(Fd in, String name) {
        return FileSystem.openOrMakeDirectory(in, name, PRIVATE);
    }

    private static void write(Fd directory, String name, byte[] bytes, int mode) {
        int flags = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL;
        try (Fd file = FileSystem.openAt(directory, name, flags, OWN_FILE, BENEATH)) {
            FileSystem.write(file, bytes);
            FileSystem.changeMode(file, mode);
        }
    }

    /// Returns the image's certificates, else the host's.
    private static byte[] bundle(Rootfs rootfs) {
        try (ImageTree tree = rootfs.tree()) {
            for (String path : HostTrust.BUNDLES) {
                Optional<byte[]> found = read(tree.root(), path);
                if (found.isPresent()) {
                    return found.get();
                }
            }
        }
        for (String path : HostTrust.BUNDLES) {
            Path file = Path.of("/" + path);
            try {
                if (Files.isRegularFile(file)) {
                    return Files.readAllBytes(file);
                }
            } catch (IOException e) {
                throw new EngineException(
                        "GATE_CERTIFICATES", file + " cannot be read (" + e.getMessage() + "): the gate needs it", e);
            }
        }
        return new byte[0];
    }

    /// Reads a file of an image; nothing if there is none, or something else.
    static Optional<byte[]> read(Fd root, String path) {
        try {
            int flags = FileSystem.O_RDONLY | FileSystem.O_NONBLOCK; // an image may have a FIFO there
            return FileSystem.find(root, path, flags, IN_IMAGE).flatMap(found -> {
                try (Fd file = found) {
                    return FileSystem.status(file).isRegularFile()
                            ? Optional.of(FileSystem.read(file, MOST_BYTES))
                            : Optional.empty();
                }
            });
        } catch (ErrnoException e) {
            return Optional.empty(); // a path through something else
        }
    }

    /// Returns where the certificates of a container with gates are mounted: at a place of our own, and over each file
    /// that its image has for them, Java's too, but where the spec mounts something else.
    static List<Mount.Bind> mounts(Path state, ContainerId id, ContainerSpec spec, Rootfs rootfs) {
        Path source = state.resolve(DIRECTORY).resolve(id.value()).resolve(CERTIFICATES);
        var mounts = new ArrayList<Mount.Bind>();
        mounts.add(new Mount.Bind(source, Gate.CERTIFICATES, true, true));
        try (ImageTree tree = rootfs.tree()) {
            for (String path : HostTrust.BUNDLES) {
                InRootPath target = InRootPath.of(path);
                if (JavaHomes.isFile(tree.root(), path) && isFree(spec, target)) {
                    mounts.add(new Mount.Bind(source, target, true, true));
                }
            }
            for (String path : JavaHomes.stores(tree.root(), javaHome(rootfs))) {
                Path merged = source.resolveSibling(javaName(path));
                InRootPath target = InRootPath.of(path);
                if (Files.exists(merged) && isFree(spec, target)) {
                    mounts.add(new Mount.Bind(merged, target, true, true));
                }
            }
        }
        return mounts;
    }

    private static boolean isFree(ContainerSpec spec, InRootPath target) {
        return spec.mounts().stream().noneMatch(mount -> target.isWithin(mount.target()));
    }

    /// Returns a container's authority; empty if it has none.
    static Optional<Authority> authority(Path state, ContainerId id) {
        Path file = state.resolve(DIRECTORY).resolve(id.value()).resolve(AUTHORITY);
        try {
            return Optional.of(Authority.parse(ByteText.read(file)));
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /// Removes the files of a container, if it has any.
    static void remove(Path state, ContainerId id) {
        removeAll(state, id::equals);
    }

    /// Removes the files of containers.
    static void removeAll(Path state, Predicate<ContainerId> which) {
        Path all = state.resolve(DIRECTORY);
        if (!Files.isDirectory(all)) {
            return;
        }
        try (Fd top = FileSystem.open(all.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            for (String name : DirectoryEntries.of(top)) {
                if (which.test(new ContainerId(name))) {
                    FileSystem.removeTree(top, name);
                }
            }
        }
    }
}
