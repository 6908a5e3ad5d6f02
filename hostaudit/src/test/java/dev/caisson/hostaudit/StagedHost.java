package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.HostFacts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A host's files, in a directory that stands for its root.
final class StagedHost {
    private StagedHost() {}

    /// They belong to nobody and are open in a way that a comparison of modes as decimal numbers takes for closed:
    /// 0626 is less than 0644.
    static Path open(Path root) throws IOException {
        return made(root, false);
    }

    /// They are root's, and nobody else may write to them.
    static Path closed(Path root) throws IOException {
        return made(root, true);
    }

    private static Path made(Path root, boolean closed) throws IOException {
        for (String file : List.of(
                "etc/docker/daemon.json",
                "etc/docker/ca.pem",
                "etc/docker/cert.pem",
                "etc/docker/key.pem",
                "etc/docker/certs.d/registry/ca.crt",
                "etc/default/docker",
                "etc/sysconfig/docker",
                "etc/containerd/config.toml",
                "usr/lib/systemd/system/docker.service",
                "usr/lib/systemd/system/docker.socket")) {
            Path path = root.resolve(file);
            Files.createDirectories(path.getParent());
            Files.writeString(path, "");
            boolean secret = file.endsWith("key.pem");
            boolean certificate = file.endsWith(".pem") || file.endsWith(".crt");
            Dockerd.must("chmod", closed ? secret ? "0400" : certificate ? "0444" : "0644" : "0626", path.toString());
            Dockerd.must("chown", closed ? "0:0" : "65534:65534", path.toString());
        }
        Files.createDirectories(root.resolve("run/containerd"));
        Files.writeString(root.resolve("etc/passwd"), "root:x:0:0::/:\nanna:x:1000:1000::/:\n");
        Files.writeString(root.resolve("etc/group"), closed ? "root:x:0:\n" : "root:x:0:\ndocker:x:999:anna\n");
        Files.writeString(root.resolve("etc/environment"), closed ? "DOCKER_CONTENT_TRUST=1\n" : "");
        Dockerd.must(
                "chmod", closed ? "0755" : "0747", root.resolve("etc/docker").toString());
        Dockerd.must(
                "chown",
                closed ? "0:0" : "65534:65534",
                root.resolve("etc/docker").toString());
        return root;
    }

    /// A socket that is nobody's, and that everybody may write to.
    static void giveAway(Path socket) throws IOException {
        Dockerd.must("chown", "65534", socket.toString());
        Dockerd.must("chmod", "0646", socket.toString());
    }

    /// The engine's file, written over; its mode stays. `%s` in it stands for files of keys.
    static Path config(Path root, String json) throws IOException {
        Path file = root.resolve("etc/docker/daemon.json");
        List<String> mode = List.of("stat", "--format=%a", file.toString());
        String before = Dockerd.must(mode);
        Path etc = root.resolve("etc/docker");
        Files.writeString(
                file,
                json.formatted("\"tlscacert\": \"%s/ca.pem\", \"tlscert\": \"%s/cert.pem\", \"tlskey\": \"%s/key.pem\""
                        .formatted(etc, etc, etc)));
        assertThat(Dockerd.must(mode)).isEqualTo(before);
        return file;
    }

    /// The engine as it runs here, with accounts, environment and the usual files of the staged host.
    static Facts joined(Facts real, Facts staged) {
        Map<String, HostFacts.FileFact> files = new TreeMap<>(real.host().files());
        files.putAll(staged.host().files());
        HostFacts host = staged.host();
        return new Facts(
                real.second(),
                new HostFacts(
                        host.kernel(),
                        host.memoryTotal(),
                        host.processors(),
                        host.settings(),
                        host.kernelFiles(),
                        host.appArmor(),
                        host.seLinux(),
                        host.namespaces(),
                        host.accounts(),
                        host.groups(),
                        host.audit(),
                        files,
                        host.engineSockets(),
                        host.environment()),
                real.engine(),
                real.images(),
                real.containers(),
                real.gaps(),
                real.more());
    }
}
