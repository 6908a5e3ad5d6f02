package dev.caisson.launch;

import dev.caisson.spec.ContainerId;
import dev.caisson.spec.InRootPath;
import java.util.Optional;

/// The network of another container, with what its files say about names: they hold for whoever shares it.
///
/// @param hosts its `/etc/hosts`, if it has one of ours
/// @param resolver its `/etc/resolv.conf`, likewise
public record OtherNetwork(ContainerId container, String hostName, Optional<String> hosts, Optional<String> resolver) {
    private static final InRootPath HOSTS = InRootPath.of("etc/hosts");
    private static final InRootPath RESOLVER = InRootPath.of("etc/resolv.conf");

    /// Reads it in the other's plan.
    public static OtherNetwork of(ContainerId container, LaunchPlan plan) {
        return new OtherNetwork(
                container,
                plan.all(Step.SetHostName.class).stream()
                        .map(Step.SetHostName::name)
                        .findFirst()
                        .orElseGet(container::shortForm),
                written(plan, HOSTS),
                written(plan, RESOLVER));
    }

    private static Optional<String> written(LaunchPlan plan, InRootPath path) {
        return plan.all(Step.WriteFile.class).stream()
                .filter(file -> file.path().equals(path))
                .map(Step.WriteFile::content)
                .findFirst();
    }
}
