package dev.caisson.hostaudit;

import dev.caisson.audit.Finding;
import dev.caisson.hostaudit.ReferenceTable.Run;
import dev.caisson.hostaudit.collect.Collector;
import dev.caisson.hostaudit.facts.Facts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The engines of [ReferenceTable] besides the one that has the containers, one after the other.
final class ReferenceEngines {
    private final Path work;

    ReferenceEngines(Path work) {
        this.work = work;
    }

    /// What audits find of all that the table asks about.
    Map<Run, List<Finding>> with(List<Finding> containers) throws IOException {
        Map<Run, List<Finding>> all = new EnumMap<>(Run.class);
        all.put(Run.CONTAINERS, containers);
        all.put(Run.CARELESS, careless());
        all.put(Run.CAREFUL, careful());
        all.put(
                Run.RECORDED,
                judged(FactsFile.with(
                        "host/appArmor",
                        true,
                        "engine/claims/runcVersion",
                        "1.1.15",
                        "host/seLinux",
                        "enforcing",
                        "containers/0/truth/processes/0/label",
                        "system_u:system_r:spc_t:s0")));
        return all;
    }

    private static List<Finding> judged(Facts facts) {
        return HostAudit.judge(facts, LiveRequests.of(Optional.empty(), Path.of("/")))
                .findings();
    }

    /// Judged as the only engine of a host whose `/etc/docker` is the daemon's own directory.
    private static List<Finding> judged(Dockerd daemon, Path root) {
        List<Finding> all = new ArrayList<>(judged(Collector.collect(
                LiveRequests.of(Optional.of(daemon.socket()), Path.of("/")).scope())));
        judged(Collector.collect(
                        LiveRequests.of(Optional.of(daemon.socket()), root).scope()))
                .stream()
                .filter(finding -> finding.check().name().startsWith("etc-docker"))
                .forEach(all::add);
        return all;
    }

    private List<Finding> careless() throws IOException {
        Path directory = Files.createDirectories(work.resolve("careless"));
        Path etc = Files.createDirectories(directory.resolve("root/etc/docker"));
        Path file = Files.writeString(etc.resolve("daemon.json"), """
                {
                  "cgroup-parent": "/caisson-hostaudit-careless",
                  "log-driver": "local",
                  "hosts": [
                    "unix://%s",
                    "tcp://10.99.0.1:2375"
                  ]
                }
                """.formatted(directory.resolve("docker.sock")));
        Dockerd.must("chmod", "0747", etc.toString());
        Dockerd.must("chmod", "0626", file.toString());
        try (Dockerd daemon = Dockerd.startConfigured(
                directory,
                "--config-file=" + file,
                "--log-level=debug",
                "--no-new-privileges=false",
                "--live-restore=false",
                "--seccomp-profile=unconfined")) {
            Dockerd.must("chmod", "0646", daemon.socket().toString());
            Path containerd = daemon.directory().resolve("exec/containerd/containerd.sock");
            Dockerd.must("chmod", "0646", containerd.toString());
            Dockerd.must("chown", "65534", containerd.toString());
            new TestImages(daemon, Files.createDirectories(work.resolve("careless-images"))).imported("bb");
            daemon.docker("run", "--detach", "--name", "plain", "--network", "none", "bb", "sleep", "600");
            return judged(daemon, directory.resolve("root"));
        }
    }

    private List<Finding> careful() throws IOException {
        Path directory = Files.createDirectories(work.resolve("careful"));
        Path key = directory.resolve("key.pem");
        Path certificate = directory.resolve("cert.pem");
        Dockerd.must(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-subj",
                "/CN=test",
                "-days",
                "2",
                "-keyout",
                key.toString(),
                "-out",
                certificate.toString());
        Path log = Files.createFile(directory.resolve("dockerd.log"));
        Process reader = new ProcessBuilder("tail", "-f", log.toString()).start();
        try (Dockerd daemon = Dockerd.start(
                directory,
                "--icc=false",
                "--no-new-privileges",
                "--live-restore",
                "--host=tcp://10.99.0.1:2376",
                "--tlsverify",
                "--tlscacert=" + certificate,
                "--tlscert=" + certificate,
                "--tlskey=" + key)) {
            return judged(daemon, Path.of("/"));
        } finally {
            reader.destroy();
        }
    }
}
