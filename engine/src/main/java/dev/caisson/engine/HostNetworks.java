package dev.caisson.engine;

import dev.caisson.network.NetworkInfo;
import dev.caisson.network.Networks;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.state.OwnPaths;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Function;

/// The networks that containers of an engine's state directory can join.
@SuppressWarnings("exports") // for Caisson's own modules
public final class HostNetworks {
    private HostNetworks() {}

    /// Opens them; the caller's to close.
    /// @throws EngineException if this process may not
    public static Networks open(EngineOptions options) {
        HostAccess.requireRoot();
        HostAccess.requireNative();
        OwnPaths.requireTrustedData(options.data());
        Path parent = options.networks().getParent();
        try {
            Files.createDirectories(
                    parent, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new EngineException(
                    "DATA_UNUSABLE", "the directory " + parent + " cannot be made (" + e.getMessage() + ")", e);
        }
        return Networks.open(options.networks());
    }

    /// Makes a network, and notes it for those who follow events.
    public static NetworkInfo create(Networks networks, EngineOptions options, NetworkSpec wanted) {
        NetworkInfo made = networks.create(wanted);
        NetworkEvents.noteCreated(options, made);
        return made;
    }

    /// Removes a network that no container is on, and notes it.
    ///
    /// @param network a name, or the beginning of an id
    public static void remove(Networks networks, EngineOptions options, String network) {
        NetworkInfo gone = networks.get(network);
        networks.remove(gone.id());
        NetworkEvents.noteRemoved(options, gone);
    }

    /// True if there may be some: nothing was ever made of a directory that is not there.
    static boolean hasAny(EngineOptions options) {
        return Files.isDirectory(options.networks());
    }

    /// Reads what is recorded, if there are networks at all.
    ///
    /// @param none the answer if there are not
    public static <T> T read(EngineOptions options, T none, Function<Networks, T> read) {
        if (!hasAny(options)) {
            return none;
        }
        try (Networks networks = open(options)) {
            return read.apply(networks);
        }
    }
}
