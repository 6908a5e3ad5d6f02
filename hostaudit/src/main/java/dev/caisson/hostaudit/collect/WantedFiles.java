package dev.caisson.hostaudit.collect;

import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.HostFacts;
import dev.caisson.hostaudit.kernel.HostFiles;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Lists the files of the host that checks ask about: those that the engine really uses, and the usual places.
public final class WantedFiles {
    private WantedFiles() {}

    public static Set<String> of(List<EngineFacts> engines, HostFiles files) {
        Set<String> all = new LinkedHashSet<>(List.of(
                "/etc/docker",
                "/etc/docker/certs.d",
                "/etc/default/docker",
                "/etc/sysconfig/docker",
                "/etc/containerd",
                "/etc/containerd/config.toml",
                "/run/containerd",
                EngineFacts.DEFAULT_FILE));
        engines.forEach(facts -> {
            all.add(facts.configurationFile());
            all.add(facts.dataRoot().path());
            all.addAll(facts.binaries().values());
            all.addAll(facts.sockets());
            facts.containerdSocket().ifPresent(all::add);
            Stream.of("tlscacert", "tlscert", "tlskey")
                    .map(facts::text)
                    .filter(path -> !path.isEmpty())
                    .forEach(all::add);
        });
        for (String unit : List.of("docker.service", "docker.socket")) {
            unit(unit, files).ifPresent(path -> {
                all.add(path);
                all.addAll(files.below(path + ".d", 1));
                all.addAll(files.below("/etc/systemd/system/" + unit + ".d", 1));
            });
        }
        all.addAll(files.below("/etc/docker/certs.d", 3));
        return all;
    }

    /// Returns the path from which systemd takes a unit: the first directory that has it.
    static Optional<String> unit(String name, HostFiles files) {
        return HostFacts.UNIT_DIRECTORIES.stream()
                .map(directory -> directory + "/" + name)
                .filter(files::exists)
                .findFirst();
    }
}
