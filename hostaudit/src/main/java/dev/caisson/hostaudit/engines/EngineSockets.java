package dev.caisson.hostaudit.engines;

import dev.caisson.hostaudit.facts.EngineFacts.EngineProcess;
import dev.caisson.hostaudit.facts.Numbers;
import dev.caisson.hostaudit.facts.Scope;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.hostaudit.kernel.ProcessRoot;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds the sockets of a host's engines: the one that the scope names, else those at the usual places, of the
/// system and of its users.
public final class EngineSockets {
    private static final int TYPE = 0170000;
    private static final int SOCKET = 0140000;
    private static final String USERS = "/run/user";
    private static final Pattern OF_A_USER = Pattern.compile(USERS + "/(\\d{1,17})/");
    private static final List<String> OF_USER = List.of("docker.sock", "podman/podman.sock");

    private final Scope scope;
    private final HostFiles files;

    public EngineSockets(Scope scope, HostFiles files) {
        this.scope = scope;
        this.files = files;
    }

    /// Whose files an engine may name: of a socket in a user's directory theirs alone, since a user can have a process
    /// of root's hold it, as a program that is set to root's id.
    public static long user(String socket, Optional<EngineProcess> process) {
        Matcher ofUser = OF_A_USER.matcher(socket);
        long owner = ofUser.lookingAt() ? Long.parseLong(ofUser.group(1)) : 0;
        return owner != 0 ? owner : process.map(EngineProcess::uid).orElse(0L);
    }

    /// A socket that is there.
    ///
    /// @param path what the host calls it
    /// @param address how this process reaches it
    /// @param ofUser whether it lies where a user may put what they like
    public record EngineSocket(Path path, Path address, Optional<Fd> held, boolean ofUser) implements AutoCloseable {
        public boolean ofDockerd() {
            return !ofUser && path.endsWith("docker.sock");
        }

        @Override
        public void close() {
            held.ifPresent(Fd::close);
        }
    }

    /// Each once, however many names it has; the system's first.
    public List<EngineSocket> all() {
        if (scope.socket().isPresent()) {
            Path path = scope.socket().get();
            return List.of(new EngineSocket(scope.asHostHasIt(path), path, Optional.empty(), false));
        }
        List<EngineSocket> all = new ArrayList<>();
        Set<ProcessRoot.Identity> seen = new HashSet<>();
        for (Path usual : Scope.USUAL_SOCKETS) {
            files.open(usual.toString()).ifPresent(file -> add(usual, file, false, seen, all));
        }
        for (String directory : files.below(USERS, 1)) {
            String uid = directory.substring(directory.lastIndexOf('/') + 1);
            if (Numbers.isNumber(uid)) {
                for (String name : OF_USER) {
                    Path path = Path.of(directory, name);
                    files.open(path.toString())
                            .filter(file -> isOf(Long.parseLong(uid), file))
                            .ifPresent(file -> add(path, file, true, seen, all));
                }
            }
        }
        return all;
    }

    private static void add(
            Path path, Fd file, boolean ofUser, Set<ProcessRoot.Identity> seen, List<EngineSocket> all) {
        Path address = Path.of("/proc/self/fd/" + file.number());
        if (ProcessRoot.own(address.toString()).filter(seen::add).isPresent()) {
            all.add(new EngineSocket(path, address, Optional.of(file), ofUser));
        } else {
            file.close();
        }
    }

    /// A link of theirs may lead to any socket of the system, and requests of root there are not what they may cause.
    private static boolean isOf(long uid, Fd file) {
        try {
            FileStatus status = FileSystem.status(file);
            if ((status.mode() & TYPE) == SOCKET && Integer.toUnsignedLong(status.uid()) == uid) {
                return true;
            }
        } catch (ErrnoException e) {
            file.close();
            throw e;
        }
        file.close();
        return false;
    }
}
