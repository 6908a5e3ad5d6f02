package dev.caisson.hostaudit.engines;

import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Facts.Gap;
import dev.caisson.hostaudit.facts.HostFacts;
import dev.caisson.hostaudit.facts.HostFacts.SocketFile;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.hostaudit.kernel.ProcessRoot;
import dev.caisson.hostaudit.kernel.ProcessTable;
import dev.caisson.linux.Fd;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Tells which container engines of the host were not asked: their containers are not in the report.
public final class OtherEngines {
    private final HostFiles files;
    private final HostFiles here;
    private final ProcessTable table;
    private final List<Gap> gaps;

    public OtherEngines(HostFiles files, HostFiles here, ProcessTable table, List<Gap> gaps) {
        this.files = files;
        this.here = here;
        this.table = table;
        this.gaps = gaps;
    }

    public void tell(HostFacts host, List<EngineFacts> engines) {
        Set<ProcessRoot.Identity> asked = new HashSet<>();
        engines.forEach(facts -> {
            facts.sockets().forEach(path -> add(asked, path));
            facts.containerdSocket().ifPresent(path -> add(asked, path));
        });
        for (SocketFile socket : host.engineSockets()) {
            if (!asked.contains(new ProcessRoot.Identity(socket.device(), socket.inode())) && answers(socket.path())) {
                gaps.add(new Gap(
                        socket.engine() + " at " + socket.path(),
                        "another engine, which was not asked; --docker unix://" + socket.path()
                                + " audits one that speaks Docker's API"));
            }
        }
        new EngineProcesses(table, files)
                .others(engines.stream()
                        .flatMap(engine -> engine.process().stream())
                        .toList())
                .forEach(pid -> gaps.add(new Gap(
                        "process " + pid,
                        "it is called like an engine, and was not asked; name its socket with --docker")));
        if (!table.named("conmon").isEmpty() && engines.stream().noneMatch(EngineFacts::isPodman)) {
            gaps.add(new Gap(
                    "podman",
                    "processes called conmon watch containers of it, and its API is not served; systemctl start"
                            + " podman.socket serves it"));
        }
    }

    private void add(Set<ProcessRoot.Identity> asked, String path) {
        files.fact(path).or(() -> here.fact(path)).map(ProcessRoot.Identity::of).ifPresent(asked::add);
    }

    /// A socket that nobody listens on was left behind; one that may not be connected to may well have an
    /// engine.
    private boolean answers(String path) {
        Optional<Fd> found = files.open(path);
        if (found.isEmpty()) {
            return false;
        }
        try (Fd file = found.get();
                SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.connect(UnixDomainSocketAddress.of(Path.of("/proc/self/fd/" + file.number())));
        } catch (ConnectException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }
}
